import { Buffer } from "node:buffer";
import { type ByteString, byteString, byteStringOf } from "./byte-string.ts";
import type { PaxRecord } from "./pax-records.ts";

/** One extended attribute, as the kernel takes it. */
interface Xattr {
  readonly name: ByteString;
  readonly value: Uint8Array;
}

/**
 * The extended attribute that a pax record stands for.
 *
 * `undefined` for a keyword of another kind, "malformed" if it cannot be decoded. Names after `SCHILY.xattr.` are taken
 * as they are, as all programs in Go write and read them, although GNU tar writes `%3D` for an equals sign.
 */
export function xattrOf(key: string, value: Uint8Array): Xattr | "malformed" | undefined {
  if (key.startsWith("SCHILY.xattr.")) return { name: key.slice(13) as ByteString, value: new Uint8Array(value) };
  if (key === "RHT.security.selinux") return { name: byteStringOf("security.selinux"), value: new Uint8Array(value) };
  if (key.startsWith("LIBARCHIVE.xattr.")) return libarchiveXattr(key.slice(17), value);
  return undefined;
}

/** libarchive escapes the name as in a URL and writes the value in base64 without padding. */
function libarchiveXattr(escapedName: string, value: Uint8Array): Xattr | "malformed" {
  const base64 = Buffer.from(value).toString("latin1");
  const malformed = /%(?![0-9A-Fa-f]{2})/.test(escapedName) || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64);
  if (malformed) return "malformed";
  const name = escapedName.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return name.includes("\0")
    ? "malformed"
    : { name: name as ByteString, value: new Uint8Array(Buffer.from(base64, "base64")) };
}

/** The records for extended attributes, sorted by name. */
export function xattrRecords(xattrs: ReadonlyMap<ByteString, Uint8Array> | undefined): PaxRecord[] {
  if (xattrs === undefined) return [];
  return [...xattrs].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, value]) => xattrRecord(name, value));
}

/**
 * A keyword ends at its first equals sign. A name that has one is therefore written as libarchive does it: escaped, and
 * with the value in base64.
 */
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

/**
 * What Linux keeps in `system.posix_acl_access` and `system.posix_acl_default`, little-endian:
 *
 *     0        4    6           8
 *     version  tag  permission  id  …   one tag, permission and id for each entry, in the order of the tags
 */
const VERSION = 2;
const NOBODY = 0xffffffff;

interface AclEntry {
  readonly tag: number;
  readonly permission: number;
  readonly id: number;
}

/**
 * The binary form of an access-control list that is written out as text (`SCHILY.acl.access`, `SCHILY.acl.default`).
 *
 * `undefined` for a syntax error, and for a list that names a user or group without its number: the names are the
 * image's, and its files of users and groups are not known yet.
 */
export function posixAcl(text: string): Uint8Array | undefined {
  const lines = text.split(/[,\n]/).map(withoutRemark);
  const entries = lines.filter((line) => line !== "").map(parseEntry);
  return entries.length > 0 && entries.every((entry) => entry !== undefined) ? encoded(entries) : undefined;
}

function withoutRemark(line: string): string {
  const remark = line.indexOf("#");
  return (remark < 0 ? line : line.slice(0, remark)).trim();
}

/**
 * `user:name:rwx:1001`, `user:1001:rwx`, `user::rwx`, `mask::r-x`, `other:r--`; a default list may say `default:`
 * first.
 */
function parseEntry(line: string): AclEntry | undefined {
  const [kind = "", ...rest] = line.replace(/^d(efault)?:/, "").split(":");
  const [qualifier = "", permissions = "", number] = rest.length === 1 ? ["", ...rest] : rest;
  const tags = Object.hasOwn(tagsOfKinds, kind) ? tagsOfKinds[kind] : undefined;
  const permission = parsePermissions(permissions);
  if (tags === undefined || permission === undefined) return undefined;
  if (qualifier === "") return { tag: tags.owning, permission, id: NOBODY };
  const id = parseId(number ?? qualifier);
  return tags.named === undefined || id === undefined ? undefined : { tag: tags.named, permission, id };
}

const user = { owning: 0x01, named: 0x02 };
const group = { owning: 0x04, named: 0x08 };
const mask = { owning: 0x10 };
const other = { owning: 0x20 };
const tagsOfKinds: Readonly<Record<string, { readonly owning: number; readonly named?: number }>> = {
  user,
  u: user,
  group,
  g: group,
  mask,
  m: mask,
  other,
  o: other,
};

function parsePermissions(text: string): number | undefined {
  const [, read, write, execute] = /^([r-])([w-])([x-])$/.exec(text) ?? [];
  if (read === undefined) return undefined;
  return (read === "r" ? 4 : 0) + (write === "w" ? 2 : 0) + (execute === "x" ? 1 : 0);
}

function parseId(text: string): number | undefined {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : NOBODY;
  return id < NOBODY ? id : undefined;
}

function encoded(entries: readonly AclEntry[]): Uint8Array {
  const inOrder = entries.toSorted((one, another) => one.tag - another.tag || one.id - another.id);
  const bytes = new Uint8Array(4 + 8 * inOrder.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, VERSION, true);
  for (const [index, { tag, permission, id }] of inOrder.entries()) {
    view.setUint16(4 + 8 * index, tag, true);
    view.setUint16(6 + 8 * index, permission, true);
    view.setUint32(8 + 8 * index, id, true);
  }
  return bytes;
}
