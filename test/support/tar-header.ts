import { Buffer } from "node:buffer";

/** Text is written as UTF-8; a Uint8Array is written as it is. */
export type Bytes = string | Uint8Array;

const NUMBER = "number";
const TEXT = "text";

/**
 * Where each field stands in the 512 bytes of a header. The dialects agree on the first 345 bytes:
 *
 *     0     100  108 116 124  136   148      156  157      257   263     265       297       329      337      345
 *     name  mode uid gid size mtime checksum type linkName magic version user name group name devMajor devMinor …
 *
 * and each puts something else behind them.
 */
const layout = {
  name: [0, 100, TEXT],
  mode: [100, 8, NUMBER],
  uid: [108, 8, NUMBER],
  gid: [116, 8, NUMBER],
  size: [124, 12, NUMBER],
  mtime: [136, 12, NUMBER],
  typeFlag: [156, 1, TEXT],
  linkName: [157, 100, TEXT],
  magic: [257, 6, TEXT],
  version: [263, 2, TEXT],
  userName: [265, 32, TEXT],
  groupName: [297, 32, TEXT],
  deviceMajor: [329, 8, NUMBER],
  deviceMinor: [337, 8, NUMBER],
  prefix: [345, 155, TEXT],
  starPrefix: [345, 131, TEXT],
  starAtime: [476, 12, NUMBER],
  starCtime: [488, 12, NUMBER],
  starTrailer: [508, 4, TEXT],
  gnuAtime: [345, 12, NUMBER],
  gnuCtime: [357, 12, NUMBER],
  gnuSparseMap: [386, 96, TEXT],
  gnuIsExtended: [482, 1, TEXT],
  gnuRealSize: [483, 12, NUMBER],
  checksum: [148, 8, TEXT],
} as const;

/** A number is written in octal, or in base-256 where octal cannot say it; text and bytes are written as they are. */
export type HeaderFields = { readonly [Field in keyof typeof layout]?: number | Bytes };

/** One header block of whatever the fields say, true or not. The checksum is right unless the fields state another. */
export function header(fields: HeaderFields): Uint8Array {
  const block = new Uint8Array(512);
  for (const [field, value] of Object.entries(fields)) {
    const [offset, width] = layout[field as keyof HeaderFields];
    if (value !== undefined) block.set(encoded(field, value, width), offset);
  }
  if (fields.checksum === undefined) block.set(Buffer.from(`${octal(checksum(block), 6)}\0 `), 148);
  return block;
}

/** The sum of all bytes, with the checksum's own field counted as spaces. */
export function checksum(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < block.length; index += 1) {
    if (index < 148 || index >= 156) sum += block[index] ?? 0;
  }
  return sum;
}

/** A body, padded to whole blocks. */
export function body(content: Bytes): Uint8Array {
  return joined(content, padding(content));
}

/** What fills the last block of a body. */
export function padding(content: Bytes): Uint8Array {
  return new Uint8Array(-bytesOf(content).length & 511);
}

/** Bytes one after another. */
export function joined(...parts: readonly Bytes[]): Uint8Array {
  const pieces = parts.map(bytesOf);
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const piece of pieces) {
    whole.set(piece, position);
    position += piece.length;
  }
  return whole;
}

export function bytesOf(value: Bytes): Uint8Array {
  return typeof value === "string" ? Buffer.from(value, "utf8") : value;
}

/** Zero-padded octal digits. */
export function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

/** A number as GNU writes what octal cannot say: big-endian two's complement with the top bit of the field set. */
export function base256(value: number | bigint, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  let rest = BigInt(value);
  for (let index = width - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

function encoded(field: string, value: number | Bytes, width: number): Uint8Array {
  const bytes = typeof value === "number" ? numeric(value, width) : bytesOf(value);
  if (bytes.length > width) throw new RangeError(`${field} takes ${width} bytes, not ${bytes.length}`);
  return bytes;
}

function numeric(value: number, width: number): Uint8Array {
  return value >= 0 && value < 8 ** (width - 1) ? Buffer.from(`${octal(value, width - 1)}\0`) : base256(value, width);
}
