import { Buffer } from "node:buffer";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";

/** What is to be known of a file whose owner, or type, it cannot have on disk. */
export type Stated = Pick<Entry, "type" | "mode" | "uid" | "gid" | "deviceMajor" | "deviceMinor">;

/**
 * The extended attributes by which tools for containers without privileges know what a file should be.
 *
 * `user.rootlesscontainers` is what umoci writes and reads; `user.containers.override_stat` is what containers/storage
 * and fuse-overlayfs do.
 */
export function recordsOf(stated: Stated): ReadonlyMap<ByteString, Uint8Array> {
  const records = new Map<ByteString, Uint8Array>([[overrideStat, Buffer.from(overriddenStat(stated))]]);
  // umoci takes a file without a record for root's.
  if (stated.uid !== 0 || stated.gid !== 0) records.set(rootless, rootlessResource(stated));
  return records;
}

/** The owner that a record states; `undefined` where it is none. */
export function recordedOwner(record: Uint8Array): Pick<Stated, "uid" | "gid"> | undefined {
  const [, uid, gid] = /^(\d{1,10}):(\d{1,10}):/.exec(Buffer.from(record).toString("latin1")) ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

const rootless = byteStringOf("user.rootlesscontainers");
/** The record that is read again, for files that are copied. */
export const overrideStat = byteStringOf("user.containers.override_stat");

/** Stands for 0, the owner that a file without a record has. */
const noId = 2 ** 32 - 1;

/** `message Resource { uint32 uid = 1; uint32 gid = 2; }`, as protobuf puts it on the wire. */
function rootlessResource({ uid, gid }: Stated): Uint8Array {
  return Uint8Array.from([0x08, ...varint(uid || noId), 0x10, ...varint(gid || noId)]);
}

function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];
}

/** `uid:gid:mode:type`. */
function overriddenStat(stated: Stated): string {
  const mode = (stated.mode & 0o7777).toString(8).padStart(4, "0");
  return `${stated.uid}:${stated.gid}:${mode}:${typeName(stated)}`;
}

function typeName({ type, deviceMajor, deviceMinor }: Stated): string {
  switch (type) {
    case "directory":
      return "dir";
    case "symlink":
      return "symlink";
    case "fifo":
      return "pipe";
    case "character-device":
      return `char-${deviceMajor}-${deviceMinor}`;
    case "block-device":
      return `block-${deviceMajor}-${deviceMinor}`;
    default:
      return "file";
  }
}
