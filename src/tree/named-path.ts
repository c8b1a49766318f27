import { Buffer } from "node:buffer";
import { type ByteString, byteStringOf, bytesOf, textOf } from "../tar/byte-string.ts";

/** A path as results have it. */
export interface NamedPath {
  /** From the root, without a slash at either end. U+FFFD stands for bytes that are not UTF-8. */
  readonly path: string;
  /** The bytes of the path in base64, where they are not UTF-8. */
  readonly pathBase64?: string;
}

export function namedPath(path: ByteString): NamedPath {
  const text = textOf(path);
  if (byteStringOf(text) === path) return { path: text };
  return { path: text, pathBase64: Buffer.from(bytesOf(path)).toString("base64") };
}
