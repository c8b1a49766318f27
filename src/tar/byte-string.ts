import { Buffer } from "node:buffer";

declare const brand: unique symbol;

/**
 * Bytes as a string: character n is byte n, each between 0 and 255 (what Node calls "latin1").
 *
 * Names in an archive are bytes whose encoding nobody states. As a ByteString a name can be compared, split and used as
 * a key like any string, and it reaches the kernel with exactly the bytes of the archive, whether they are UTF-8 or
 * not.
 */
export type ByteString = string & { readonly [brand]: "ByteString" };

/** The bytes of `bytes[start, end)` as a ByteString. */
export function byteString(bytes: Uint8Array, start = 0, end = bytes.length): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1", start, end) as ByteString;
}

const beyondAscii = /[^\0-\x7f]/;

/** The UTF-8 bytes of ordinary text as a ByteString. */
export function byteStringOf(text: string): ByteString {
  // Of almost every name the bytes are its characters. Finding that out takes a tenth of the time of a conversion.
  if (!beyondAscii.test(text)) return text as ByteString;
  return Buffer.from(text, "utf8").toString("latin1") as ByteString;
}

/**
 * A copy of a part of a longer text that does not keep that text in memory. V8 does not copy parts of 13 characters and
 * more, so that the whole text would stay in memory as long as the part.
 */
export function ownCopy(part: ByteString): ByteString {
  if (part.length < 13) return part;
  if (part.length > scratch.length) return Buffer.from(part, "latin1").toString("latin1") as ByteString;
  return scratch.toString("latin1", 0, scratch.write(part, "latin1")) as ByteString;
}

/** Where names are copied to, so that a copy makes nothing but itself. */
const scratch = Buffer.alloc(4096);

/** The bytes themselves. */
export function bytesOf(name: ByteString): Uint8Array {
  return Buffer.from(name, "latin1");
}

/** The name for people: decoded as UTF-8, with U+FFFD for what is not UTF-8. It must not be used as a name. */
export function textOf(name: ByteString): string {
  if (!beyondAscii.test(name)) return name;
  return Buffer.from(name, "latin1").toString("utf8");
}
