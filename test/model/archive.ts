import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { defaultLimits } from "../../src/base/limits.ts";
import { byteString } from "../../src/tar/byte-string.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import type { ByteSource, Entry } from "../../src/tar/entry.ts";
import { entry, tar } from "../support/tar-builder.ts";
import type { Member } from "./member.ts";

const typeFlags: Readonly<Record<Member["type"], string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
};

/** A layer as the archive that a registry would serve, not compressed. */
export function archived(layer: readonly Member[]): Uint8Array {
  return tar(...layer.map(archivedMember));
}

function archivedMember(member: Member): Uint8Array {
  const { type, mode, uid, gid, mtime, xattrs } = member;
  const [deviceMajor = 0, deviceMinor = 0] = member.device.split(":").map(Number);
  return entry(typeFlags[type], bytes(member.path), bytes(member.target), bytes(member.content), {
    mode,
    uid,
    gid,
    mtime,
    xattrs: Object.fromEntries([...xattrs].map(([name, value]) => [name, bytes(value)])),
    ...(member.device === "" ? {} : { header: { deviceMajor, deviceMinor } }),
  });
}

/** The entries of an archive, as the decoder reads them. */
export function membersOf(archive: Uint8Array): Member[] {
  const decoder = new TarDecoder(sourceOf(archive), { limits: defaultLimits, strict: false, warning: () => {} });
  const members: Member[] = [];
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) {
    members.push(memberOf(entry, contentOf(decoder)));
  }
  return members;
}

/** Bytes at hand, in one piece. Asked again after its end, a source may give the next archive, or wait for it for ever. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  const pieces = bytes.length === 0 ? [undefined] : [undefined, bytes];
  return {
    read() {
      assert.ok(pieces.length > 0, "the source is not asked again after its end");
      return pieces.pop();
    },
  };
}

function memberOf({ type, path, linkPath, mode, uid, gid, mtime, ...more }: Entry, content: string): Member {
  if (type === "other") throw new TypeError(`the model knows nothing of type ${more.typeFlag}`);
  const isDevice = type === "character-device" || type === "block-device";
  const xattrs = [...(more.xattrs ?? [])].map(([name, value]) => [name, byteString(value)] as const);
  const device = isDevice ? `${more.deviceMajor}:${more.deviceMinor}` : "";
  return { type, path, target: linkPath, content, device, mode, uid, gid, mtime, xattrs: new Map(xattrs) };
}

function contentOf(source: ByteSource): string {
  let content = "";
  for (let piece = source.read(); piece !== undefined; piece = source.read()) content += byteString(piece);
  return content;
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}
