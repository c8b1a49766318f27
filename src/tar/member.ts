import { archiveLimitExceeded, BLOCK, invalidArchive } from "./block-reader.ts";
import type { ByteString } from "./byte-string.ts";
import type { DecoderState } from "./decoder-state.ts";
import { type Entry, type EntryType, isDevice, type Timestamp } from "./entry.ts";
import type { Extensions } from "./extensions.ts";
import { clampedTime } from "./numbers.ts";
import type { PaxHeader } from "./pax-header.ts";
import { readOldGnuSparse, readPaxSparse, type Sparse } from "./sparse.ts";
import { posixAcl } from "./xattr.ts";

/** An entry with the sizes of what follows its header. */
export interface Member {
  readonly entry: Entry;
  /** How many bytes of data follow. */
  readonly bodyBytes: number;
  /** How many bytes fill up the last block of the data. */
  readonly paddingBytes: number;
  /** The size that the entry states although its type has no data. */
  readonly claimedBytes: number;
}

/** What each type flag means (POSIX ustar, "typeflag"; `S` is GNU's, `\0` is from before ustar). */
const types: Readonly<Record<string, EntryType>> = {
  "\0": "file",
  "0": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  "6": "fifo",
  "7": "file",
  S: "file",
};

/** The entry that the current header and the extension headers before it describe. It begins at `offset`. */
export function readMember(state: DecoderState, extensions: Extensions, offset: number): Member {
  const { header } = state;
  const { pax } = extensions;
  const storedBytes = pax?.sizeBytes ?? header.sizeBytes;
  const path = pathOf(state, extensions, offset);
  const type = typeOf(state, path, storedBytes);
  const body = bodyOf(state, pax, type, storedBytes);
  const hasNumbers = isDevice({ type });
  const entry: Entry = {
    type,
    typeFlag: header.typeFlag,
    path,
    linkPath: type === "symlink" || type === "hardlink" ? linkPathOf(state, extensions, offset) : noPath,
    mode: header.mode,
    uid: pax?.uid ?? header.uid,
    gid: pax?.gid ?? header.gid,
    sizeBytes: body.sizeBytes,
    mtime: timeOf(state, pax?.mtime ?? { seconds: header.mtime, nanoseconds: 0 }, path),
    deviceMajor: hasNumbers ? header.deviceMajor : 0,
    deviceMinor: hasNumbers ? header.deviceMinor : 0,
    offset,
  };
  return {
    entry: withRarities(state, entry, pax, body),
    bodyBytes: body.bodyBytes,
    paddingBytes: -body.bodyBytes & (BLOCK - 1),
    claimedBytes: body === noBody ? storedBytes : 0,
  };
}

const noPath = "" as ByteString;

/** GNU's long name comes before pax's path, as in Go, and the name of a sparse file before both. */
function pathOf(state: DecoderState, { path, pax }: Extensions, offset: number): ByteString {
  const sparseName = pax?.sparse?.isMap ? pax.sparse.name : undefined;
  return withinLimit(state, "path", sparseName ?? (path || (pax?.path ?? state.header.path)), offset);
}

function linkPathOf(state: DecoderState, { linkPath, pax }: Extensions, offset: number): ByteString {
  return withinLimit(state, "link target", linkPath || (pax?.linkPath ?? state.header.linkPath), offset);
}

function withinLimit({ limits }: DecoderState, what: string, path: ByteString, offset: number): ByteString {
  if (path.length <= limits.pathBytes) return path;
  throw archiveLimitExceeded(
    "decode the entry",
    offset,
    `its ${what} has ${path.length} bytes`,
    "pathBytes",
    limits.pathBytes,
  );
}

/** Before ustar had a type for directories, a file whose name ends in a slash was a directory. */
function typeOf({ header, repair }: DecoderState, path: ByteString, storedBytes: number): EntryType {
  const type = types[header.typeFlag] ?? "other";
  if (type !== "file" || !path.endsWith("/")) return type;
  if (header.typeFlag === "\0") return "directory";
  if (header.typeFlag !== "0" || storedBytes !== 0) return type;
  repair("TRAILING_SLASH", "an empty file whose name ends in a slash was read as a directory", path);
  return "directory";
}

/**
 * Only files have data. Links, directories, fifos and devices have none, whatever size they state: Go reads them so,
 * and nearly all images were written by programs in Go. If data follows nevertheless, the next header is not valid.
 */
function bodyOf(state: DecoderState, pax: PaxHeader | undefined, type: EntryType, storedBytes: number): Body {
  const { header, limits } = state;
  const isFile = type === "file";
  if (!isFile && pax?.sparse?.isMap)
    throw invalidArchive("decode the entry", header.offset, `a ${type} cannot be sparse`);
  if (!isFile && type !== "other") return noBody;
  if (storedBytes < 0) throw invalidArchive("decode the header", header.offset, `its size is ${storedBytes}`);
  const body = isFile ? fileBody(state, pax, storedBytes) : { sizeBytes: storedBytes, bodyBytes: storedBytes };
  if (body.sizeBytes > limits.apparentFileBytes) {
    const found = `it states a size of ${body.sizeBytes} bytes`;
    throw archiveLimitExceeded("decode the entry", header.offset, found, "apparentFileBytes", limits.apparentFileBytes);
  }
  return body;
}

type Body = Pick<Sparse, "sizeBytes" | "bodyBytes"> & Partial<Sparse>;

const noBody: Body = { sizeBytes: 0, bodyBytes: 0 };

function fileBody(state: DecoderState, pax: PaxHeader | undefined, storedBytes: number): Body {
  if (state.header.typeFlag === "S") return readOldGnuSparse(state, storedBytes);
  if (pax?.sparse?.isMap) return readPaxSparse(state, pax.sparse, storedBytes);
  return { sizeBytes: storedBytes, bodyBytes: storedBytes };
}

/** Adds the members that few entries have. All other entries have the same shape, which is faster in V8. */
function withRarities(state: DecoderState, entry: Entry, pax: PaxHeader | undefined, { segments }: Body): Entry {
  const seconds = state.header.atime;
  const atime = pax?.atime ?? (seconds === undefined ? undefined : { seconds, nanoseconds: 0 });
  const xattrs = pax === undefined ? undefined : xattrsOf(state, pax, entry.path);
  if (segments === undefined && atime === undefined && xattrs === undefined) return entry;
  return {
    ...entry,
    ...(segments !== undefined && { segments }),
    ...(atime !== undefined && { atime: timeOf(state, atime, entry.path) }),
    ...(xattrs !== undefined && { xattrs }),
  };
}

function timeOf({ repair }: DecoderState, time: Timestamp, path: ByteString): Timestamp {
  if (Number.isSafeInteger(time.seconds)) return time;
  repair("TIME_CLAMPED", "a time beyond what numbers hold was brought nearer", path);
  return clampedTime(time);
}

/**
 * The text of an access-control list counts only if its binary form is not there too, which GNU tar writes as well. An
 * empty text, which it writes of a directory that has but one of the two lists, is no list.
 */
function xattrsOf({ repair }: DecoderState, { xattrs, acls }: PaxHeader, path: ByteString): Entry["xattrs"] {
  if (acls === undefined) return xattrs;
  const all = new Map(xattrs);
  for (const [name, text] of acls) {
    if (all.has(name) || text === "") continue;
    const acl = posixAcl(text);
    if (acl !== undefined) all.set(name, acl);
    else repair("XATTR_NOT_APPLIED", `${name} cannot be made from ${JSON.stringify(text.slice(0, 200))}`, path);
  }
  return all.size > 0 ? all : undefined;
}
