import { Buffer } from "node:buffer";
import { type ByteString, byteString } from "./byte-string.ts";
import type { PaxRecord } from "./pax-text.ts";

/** The records for extended attributes, in the order of their names, whatever order they came in. */
export function xattrRecords(xattrs: ReadonlyMap<ByteString, Uint8Array> | undefined): PaxRecord[] {
  if (xattrs === undefined) return [];
  return [...xattrs].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, value]) => xattrRecord(name, value));
}

/** A keyword ends at its first equals sign. For a name that has one there is libarchive's spelling: escaped, and the value in base64. */
function xattrRecord(name: ByteString, value: Uint8Array): PaxRecord {
  if (!name.includes("=")) return [`SCHILY.xattr.${name}` as ByteString, byteString(value)];
  const escapedName = name.replace(/[^A-Za-z0-9._-]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
  const base64 = Buffer.from(value)
    .toString("base64")
    .replace(/={1,2}$/, "");
  return [`LIBARCHIVE.xattr.${escapedName}` as ByteString, base64 as ByteString];
}
