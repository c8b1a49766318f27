import { Buffer } from "node:buffer";
import { type ByteString, byteString, byteStringOf } from "../../src/tar/byte-string.ts";
import type { ByteSource, Entry, EntryType, Segment, Timestamp } from "../../src/tar/entry.ts";

/** An entry as the decoder would give it, with its data. */
export interface Member {
  readonly entry: Entry;
  readonly data: Uint8Array;
}

/** Text stands for its UTF-8 bytes. */
export type Bytes = string | Uint8Array;

/** What may be said of an entry; whatever is not said is 0644 (0755 for directories), 0:0, and `defaultMtime`. */
export interface Said {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number | Timestamp;
  readonly atime?: number | Timestamp;
  readonly xattrs?: Readonly<Record<string, Bytes>>;
  readonly sizeBytes?: number;
  readonly segments?: readonly Segment[];
}

/** Neither 0 nor now, so that it is not mistaken for a default. */
export const defaultMtime = 1_000_000_000;

export function file(path: Bytes, content: Bytes = "", said: Said = {}): Member {
  const data = bytesOf(content);
  return member("file", path, { sizeBytes: data.length, ...said }, {}, data);
}

/** A file of which only some is data. `sizeBytes` counts the holes. */
export function sparse(
  path: Bytes,
  sizeBytes: number,
  runs: readonly (readonly [offset: number, data: string])[],
): Member {
  const segments = runs.map(([offset, data]) => ({ offset, length: data.length }));
  return member("file", path, { sizeBytes, segments }, {}, bytesOf(runs.map(([, data]) => data).join("")));
}

export function directory(path: Bytes, said: Said = {}): Member {
  return member("directory", path, { mode: 0o755, ...said });
}

export function symlink(path: Bytes, target: Bytes, said: Said = {}): Member {
  return member("symlink", path, { mode: 0o777, ...said }, { linkPath: nameOf(target) });
}

export function hardlink(path: Bytes, target: Bytes, said: Said = {}): Member {
  return member("hardlink", path, said, { linkPath: nameOf(target) });
}

export function fifo(path: Bytes, said: Said = {}): Member {
  return member("fifo", path, said);
}

export function device(path: Bytes, [deviceMajor, deviceMinor]: readonly [number, number], said: Said = {}): Member {
  return member("character-device", path, said, { deviceMajor, deviceMinor });
}

/** An empty file that hides `path` of the layers below. */
export function whiteout(path: string): Member {
  const slash = path.lastIndexOf("/") + 1;
  return file(`${path.slice(0, slash)}.wh.${path.slice(slash)}`);
}

/** An empty file that hides everything that the layers below have in a directory; "" is the root. */
export function opaque(path: string): Member {
  return file(path === "" ? ".wh..wh..opq" : `${path}/.wh..wh..opq`);
}

export function member(
  type: EntryType,
  path: Bytes,
  said: Said = {},
  more: Partial<Entry> = {},
  data: Uint8Array = new Uint8Array(0),
): Member {
  const { mode = 0o644, uid = 0, gid = 0, mtime = defaultMtime, atime, xattrs, sizeBytes = 0, segments } = said;
  const pairs = Object.entries(xattrs ?? {}).map(([name, value]) => [byteStringOf(name), bytesOf(value)] as const);
  const entry: Entry = {
    type,
    typeFlag: "0",
    path: nameOf(path),
    linkPath: nameOf(""),
    mode,
    uid,
    gid,
    sizeBytes,
    mtime: timestamp(mtime),
    ...(atime !== undefined && { atime: timestamp(atime) }),
    ...(xattrs !== undefined && { xattrs: new Map(pairs) }),
    ...(segments !== undefined && { segments }),
    deviceMajor: 0,
    deviceMinor: 0,
    offset: 0,
    ...more,
  };
  return { entry, data };
}

/** Data in pieces, as they come from an archive. */
export function pieces(data: Uint8Array, pieceBytes = 5): ByteSource {
  let position = 0;
  return {
    read() {
      if (position === data.length) return undefined;
      const piece = data.subarray(position, position + pieceBytes);
      position += piece.length;
      return piece;
    },
  };
}

function nameOf(name: Bytes): ByteString {
  return typeof name === "string" ? byteStringOf(name) : byteString(name);
}

function bytesOf(content: Bytes): Uint8Array {
  return typeof content === "string" ? Buffer.from(content) : content;
}

function timestamp(time: number | Timestamp): Timestamp {
  return typeof time === "number" ? { seconds: time, nanoseconds: 0 } : time;
}
