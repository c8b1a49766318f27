import type { Buffer } from "node:buffer";
import { BLOCK } from "./block-reader.ts";
import type { ByteString } from "./byte-string.ts";

/** What a ustar header holds, each value within its field's bounds. */
export interface UstarFields {
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

/** Bytes of a name, of a link's target, and of what may stand before a name. */
export const nameBytes = 100;
const prefixBytes = 155;

/** The first numbers that are too large for a field of 8 bytes, and of 12. */
export const smallNumberEnd = 8 ** 7;
export const largeNumberEnd = 8 ** 11;

/**
 * Writes a ustar header (POSIX pax, "ustar Interchange Format"):
 *
 *     0     100   108  116  124   136    148       156       157       257    263      265  297  329       337       345
 *     name  mode  uid  gid  size  mtime  checksum  typeFlag  linkName  magic  version  user group devMajor devMinor  prefix
 */
export function writeUstarHeader(block: Buffer, fields: UstarFields): void {
  block.fill(0, 0, BLOCK);
  block.write(fields.name, 0, nameBytes, "latin1");
  writeOctal(block, fields.mode, 100, 8);
  writeOctal(block, fields.uid, 108, 8);
  writeOctal(block, fields.gid, 116, 8);
  writeOctal(block, fields.sizeBytes, 124, 12);
  writeOctal(block, fields.mtime, 136, 12);
  block.write(`        ${fields.typeFlag}`, 148, "latin1"); // the checksum is counted as if it were spaces
  block.write(fields.linkName, 157, nameBytes, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  writeOctal(block, fields.deviceMajor, 329, 8);
  writeOctal(block, fields.deviceMinor, 337, 8);
  block.write(fields.prefix, 345, prefixBytes, "latin1");
  let sum = 0;
  for (let at = 0; at < BLOCK; at += 1) sum += block[at] ?? 0;
  writeOctal(block, sum, 148, 7);
}

/** Divides a path into prefix and name at one of its slashes; `undefined` where no division fits. */
export function divided(path: ByteString): { readonly prefix: ByteString; readonly name: ByteString } | undefined {
  if (path.length <= nameBytes) return { prefix: "" as ByteString, name: path };
  const slash = path.indexOf("/", path.length - nameBytes - 1);
  if (slash < 1 || slash > prefixBytes || slash === path.length - 1) return undefined;
  return { prefix: path.slice(0, slash) as ByteString, name: path.slice(slash + 1) as ByteString };
}

/** All digits that fit, and a NUL. */
function writeOctal(block: Buffer, value: number, start: number, width: number): void {
  block.write(value.toString(8).padStart(width - 1, "0"), start, width - 1, "latin1");
}
