import { Buffer } from "node:buffer";
import { BLOCK } from "./block-reader.ts";
import { type ByteString, byteStringOf, bytesOf } from "./byte-string.ts";
import type { Entry, EntryType, Timestamp } from "./entry.ts";
import { type PaxRecord, paxText, timeText } from "./pax-records.ts";
import { sparseMapText, sparseName, sparseRecords } from "./sparse-map.ts";
import { xattrRecords } from "./xattr.ts";

/** A file as an archive describes it. An entry from the decoder is one. */
export type ArchivedFile = Pick<
  Entry,
  | "type"
  | "path"
  | "linkPath"
  | "mode"
  | "uid"
  | "gid"
  | "sizeBytes"
  | "segments"
  | "mtime"
  | "atime"
  | "xattrs"
  | "deviceMajor"
  | "deviceMinor"
>;

/** The size of the end marker, two blocks of zeros. */
export const endMarkerBytes = 2 * BLOCK;

/** How many zeros fill up the last block of data. */
export function paddingBytes(dataBytes: number): number {
  return -dataBytes & (BLOCK - 1);
}

/** How many bytes of data an entry has in an archive: the segments of a sparse file, or the whole file. */
export function dataBytesOf({ sizeBytes, segments }: Pick<ArchivedFile, "sizeBytes" | "segments">): number {
  return segments === undefined ? sizeBytes : segments.reduce((sum, { length }) => sum + length, 0);
}

/**
 * Everything before an entry's data: a ustar header and, if that cannot hold everything, a pax header before it.
 *
 * The same file always gives the same bytes. There is a pax record only for what needs one: long or large values, times
 * with a fraction, access times, extended attributes (`SCHILY.xattr`, as GNU tar, bsdtar and all Go programs read
 * them). For a sparse file the map comes before the data (GNU's format 1.0). The caller writes the data of its
 * segments, as `segmentsInBlocks` returns them.
 */
export function encodedHeader(file: ArchivedFile): Uint8Array {
  const map = file.segments === undefined ? undefined : sparseMapText(file.segments, file.sizeBytes);
  const storedBytes = dataBytesOf(file) + (map?.length ?? 0);
  const records = [...recordsFor(file, storedBytes), ...xattrRecords(file.xattrs)];
  if (map !== undefined) records.push(...sparseRecords(file.path, file.sizeBytes));
  const header = Buffer.allocUnsafe(BLOCK);
  writeUstarHeader(header, fieldsOf(file, storedBytes));
  if (records.length === 0) return header;
  const parts = [paxHeader(withCharset(records)), header];
  return Buffer.concat(map === undefined ? parts : [...parts, map]);
}

const typeFlags: Readonly<Record<Exclude<EntryType, "other">, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
};

const nothing = "" as ByteString;

/** A value that does not fit into its field is 0 or cut; then a pax record has the whole value. */
function fieldsOf(file: ArchivedFile, storedBytes: number): UstarFields {
  const { type, path, linkPath, mode, uid, gid, mtime, deviceMajor, deviceMinor } = file;
  if (type === "other") throw new TypeError("an archive has no entries of other types");
  const nameParts = file.segments === undefined ? divided(path) : { prefix: nothing, name: sparseName };
  return {
    ...(nameParts ?? { prefix: nothing, name: path.slice(0, nameBytes) as ByteString }),
    typeFlag: typeFlags[type],
    linkName: linkPath.slice(0, nameBytes) as ByteString,
    mode,
    uid: uid < smallNumberEnd ? uid : 0,
    gid: gid < smallNumberEnd ? gid : 0,
    sizeBytes: storedBytes < largeNumberEnd ? storedBytes : 0,
    mtime: fitsInHeader(mtime.seconds) ? mtime.seconds : 0,
    deviceMajor,
    deviceMinor,
  };
}

function recordsFor(file: ArchivedFile, storedBytes: number): PaxRecord[] {
  const { path, linkPath, uid, gid, mtime, atime, segments } = file;
  const records: PaxRecord[] = [];
  const add = (keyword: string, value: string) => records.push([keyword as ByteString, value as ByteString]);
  if (segments === undefined && divided(path) === undefined) add("path", path);
  if (linkPath.length > nameBytes) add("linkpath", linkPath);
  if (storedBytes >= largeNumberEnd) add("size", String(storedBytes));
  if (uid >= smallNumberEnd) add("uid", String(uid));
  if (gid >= smallNumberEnd) add("gid", String(gid));
  if (mtime.nanoseconds !== 0 || !fitsInHeader(mtime.seconds)) add("mtime", timeText(mtime));
  if (atime !== undefined && !isSameTime(atime, mtime)) add("atime", timeText(atime));
  return records;
}

function fitsInHeader(seconds: number): boolean {
  return seconds >= 0 && seconds < largeNumberEnd;
}

function isSameTime(one: Timestamp, other: Timestamp): boolean {
  return one.seconds === other.seconds && one.nanoseconds === other.nanoseconds;
}

/** POSIX wants names in UTF-8, or a record that says that they are not. */
function withCharset(records: readonly PaxRecord[]): readonly PaxRecord[] {
  const named = records.filter(
    ([keyword]) => keyword === "path" || keyword === "linkpath" || keyword === "GNU.sparse.name",
  );
  if (named.every(([, value]) => isUtf8(value))) return records;
  return [["hdrcharset" as ByteString, "BINARY" as ByteString], ...records];
}

function isUtf8(value: ByteString): boolean {
  const bytes = bytesOf(value);
  return Buffer.from(bytes).equals(Buffer.from(Buffer.from(bytes).toString("utf8"), "utf8"));
}

function paxHeader(records: readonly PaxRecord[]): Uint8Array {
  const text = paxText(records);
  const header = Buffer.alloc(BLOCK + text.length + paddingBytes(text.length));
  writeUstarHeader(header, {
    name: byteStringOf("PaxHeader"),
    prefix: nothing,
    typeFlag: "x",
    linkName: nothing,
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: text.length,
    mtime: 0,
    deviceMajor: 0,
    deviceMinor: 0,
  });
  header.set(text, BLOCK);
  return header;
}

/** The fields of a ustar header. Each value fits into its field. */
interface UstarFields {
  readonly name: ByteString;
  readonly prefix: ByteString;
  readonly typeFlag: string;
  readonly linkName: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtime: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** The sizes of the fields for a name or a link's target, and for a name's prefix. */
const nameBytes = 100;
const prefixBytes = 155;

/** The smallest numbers that are too large for a field of 8 bytes, and for one of 12 bytes. */
const smallNumberEnd = 8 ** 7;
const largeNumberEnd = 8 ** 11;

/**
 * Writes a ustar header (POSIX pax, "ustar Interchange Format"):
 *
 *     0     100   108  116  124   136    148       156       157       257    263      265  297  329       337       345
 *     name  mode  uid  gid  size  mtime  checksum  typeFlag  linkName  magic  version  user group devMajor devMinor  prefix
 */
function writeUstarHeader(block: Buffer, fields: UstarFields): void {
  block.fill(0, 0, BLOCK);
  block.write(fields.name, 0, nameBytes, "latin1");
  writeOctal(block, fields.mode, 100, 8);
  writeOctal(block, fields.uid, 108, 8);
  writeOctal(block, fields.gid, 116, 8);
  writeOctal(block, fields.sizeBytes, 124, 12);
  writeOctal(block, fields.mtime, 136, 12);
  block.write(`        ${fields.typeFlag}`, 148, "latin1"); // in the sum the checksum's field counts as spaces
  block.write(fields.linkName, 157, nameBytes, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  writeOctal(block, fields.deviceMajor, 329, 8);
  writeOctal(block, fields.deviceMinor, 337, 8);
  block.write(fields.prefix, 345, prefixBytes, "latin1");
  let sum = 0;
  for (let at = 0; at < BLOCK; at += 1) sum += block[at] ?? 0;
  writeOctal(block, sum, 148, 7);
}

/**
 * Divides a path at a slash into prefix and name, so that both fit into their fields; `undefined` if that is
 * impossible.
 */
function divided(path: ByteString): { readonly prefix: ByteString; readonly name: ByteString } | undefined {
  if (path.length <= nameBytes) return { prefix: "" as ByteString, name: path };
  const slash = path.indexOf("/", path.length - nameBytes - 1);
  if (slash < 1 || slash > prefixBytes || slash === path.length - 1) return undefined;
  return { prefix: path.slice(0, slash) as ByteString, name: path.slice(slash + 1) as ByteString };
}

/** Writes an octal number with leading zeros and a NUL at the end. */
function writeOctal(block: Buffer, value: number, start: number, width: number): void {
  block.write(value.toString(8).padStart(width - 1, "0"), start, width - 1, "latin1");
}
