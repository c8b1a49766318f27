import { Buffer } from "node:buffer";
import { type ByteString, byteStringOf } from "./byte-string.ts";

/** One extended attribute, as the kernel takes it. */
export interface Xattr {
  readonly name: ByteString;
  readonly value: Uint8Array;
}

/**
 * The extended attribute that a pax record stands for.
 *
 * `undefined` where its keyword is of another kind, "malformed" where it cannot be decoded. SCHILY's names are taken as
 * they stand, as all Go programs write and read them, although GNU tar writes `%3D` for an equals sign in them.
 */
export function xattrOf(key: string, value: Uint8Array): Xattr | "malformed" | undefined {
  if (key.startsWith("SCHILY.xattr.")) return { name: key.slice(13) as ByteString, value: new Uint8Array(value) };
  if (key === "RHT.security.selinux") return { name: byteStringOf("security.selinux"), value: new Uint8Array(value) };
  if (key.startsWith("LIBARCHIVE.xattr.")) return libarchiveXattr(key.slice(17), value);
  return undefined;
}

/** libarchive escapes the name as in a URL and writes the value in base64, without padding. */
function libarchiveXattr(escapedName: string, value: Uint8Array): Xattr | "malformed" {
  const base64 = Buffer.from(value).toString("latin1");
  const malformed = /%(?![0-9A-Fa-f]{2})/.test(escapedName) || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64);
  if (malformed) return "malformed";
  const name = escapedName.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return name.includes("\0")
    ? "malformed"
    : { name: name as ByteString, value: new Uint8Array(Buffer.from(base64, "base64")) };
}
