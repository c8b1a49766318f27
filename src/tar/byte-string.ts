import { Buffer } from "node:buffer";

declare const brand: unique symbol;

/**
 * Bytes as a string: character n is byte n, each between 0 and 255 (what Node calls "latin1").
 *
 * Names in an archive are bytes of no stated encoding. As a ByteString a name can be compared, split and used as a key
 * like any string, and reaches the kernel as exactly the bytes it had in the archive, whether they are UTF-8 or not.
 */
export type ByteString = string & { readonly [brand]: "ByteString" };

/** The bytes of `bytes[start, end)` as a ByteString. */
export function byteString(bytes: Uint8Array, start = 0, end = bytes.length): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1", start, end) as ByteString;
}

/** The UTF-8 bytes of ordinary text as a ByteString. */
export function byteStringOf(text: string): ByteString {
  return Buffer.from(text, "utf8").toString("latin1") as ByteString;
}

/**
 * A part of a longer text, to be remembered without that text: V8 does not copy parts of 13 characters and more, and
 * the whole text stays in memory as long as a part of it.
 */
export function ownCopy(part: ByteString): ByteString {
  return part.length < 13 ? part : (Buffer.from(part, "latin1").toString("latin1") as ByteString);
}

/** The bytes themselves. */
export function bytesOf(name: ByteString): Uint8Array {
  return Buffer.from(name, "latin1");
}

/** For people: decoded as UTF-8, with U+FFFD where the bytes are not. Never use the result as a name. */
export function textOf(name: ByteString): string {
  return Buffer.from(name, "latin1").toString("utf8");
}
