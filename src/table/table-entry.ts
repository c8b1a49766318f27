import { Buffer } from "node:buffer";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { EntryType, Timestamp } from "../tar/entry.ts";
import { TableRefused } from "./table-refused.ts";

/** An entry of a table of contents, checked: of a file, or a further chunk of the file before it. */
export interface TableEntry {
  readonly type: EntryType | "chunk";
  readonly name: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtime: Timestamp;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs: ReadonlyMap<ByteString, Uint8Array>;
  /** The SHA-256 of the file, in hexadecimal digits. */
  readonly digest: string | undefined;
  /** Where the chunk begins in the layer, compressed. */
  readonly offset: number;
  /** Of zstd:chunked: where the last chunk of the file ends. */
  readonly endOffset: number;
  /** Of eStargz: how many bytes come before the chunk's when what begins there is decompressed. */
  readonly innerOffset: number;
  readonly chunkOffset: number;
  /** 0: all that is left of the file. */
  readonly chunkSize: number;
  readonly chunkDigest: string | undefined;
}

const types: Readonly<Record<string, TableEntry["type"]>> = {
  reg: "file",
  dir: "directory",
  symlink: "symlink",
  hardlink: "hardlink",
  char: "character-device",
  block: "block-device",
  fifo: "fifo",
  chunk: "chunk",
};

const kinds = {
  type: "string",
  name: "string",
  linkName: "string",
  mode: "number",
  uid: "number",
  gid: "number",
  size: "number",
  modtime: "string",
  devMajor: "number",
  devMinor: "number",
  xattrs: "object",
  digest: "string",
  offset: "number",
  endOffset: "number",
  innerOffset: "number",
  chunkOffset: "number",
  chunkSize: "number",
  chunkDigest: "string",
} as const;

/** The names of members in lower case: Go's decoder takes `Name` for `name`, and so for one of two. */
const foldedNames = new Set(Object.keys(kinds).map((name) => name.toLowerCase()));

/** Checks an entry out of JSON. Throws `TableRefused`. */
export function tableEntry(json: unknown): TableEntry {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new TableRefused("it has an entry that is none");
  const members = json as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(members)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name as keyof typeof kinds] : undefined;
    if (kind === undefined && foldedNames.has(name.toLowerCase()))
      throw new TableRefused(`it has a member "${name.slice(0, 20)}"`);
    if (kind !== undefined && typeof value !== kind)
      throw new TableRefused(`it has an entry whose "${name}" is no ${kind}`);
  }
  const text = (name: string) => String(members[name] ?? "");
  const type = Object.hasOwn(types, text("type")) ? types[text("type")] : undefined;
  if (type === undefined) throw new TableRefused(`it has an entry of type "${text("type").slice(0, 20)}"`);
  return {
    type,
    name: text("name"),
    linkName: text("linkName"),
    mode: count(members, "mode") & 0o7777,
    uid: count(members, "uid"),
    gid: count(members, "gid"),
    sizeBytes: count(members, "size"),
    mtime: time(text("modtime")),
    deviceMajor: count(members, "devMajor"),
    deviceMinor: count(members, "devMinor"),
    xattrs: attributes(members.xattrs),
    digest: sha256(text("digest")),
    offset: count(members, "offset"),
    endOffset: count(members, "endOffset"),
    innerOffset: count(members, "innerOffset"),
    chunkOffset: count(members, "chunkOffset"),
    chunkSize: count(members, "chunkSize"),
    chunkDigest: sha256(text("chunkDigest")),
  };
}

function count(members: Readonly<Record<string, unknown>>, name: string): number {
  const value = members[name] ?? 0;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new TableRefused(`it has an entry whose "${name}" is no count`);
}

function sha256(text: string): string | undefined {
  if (text === "") return undefined;
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text.slice("sha256:".length);
  throw new TableRefused("it has an entry whose digest is none");
}

/** RFC 3339, as Go writes it. Linear: nothing in it is repeated without a bound. */
const timeForm = /^(-?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

function time(text: string): Timestamp {
  if (text === "") return { seconds: 0, nanoseconds: 0 };
  const [, whole, fraction = "", zone = "Z"] = timeForm.exec(text) ?? [];
  const seconds = Date.parse(`${whole}${zone}`) / 1000;
  if (!Number.isSafeInteger(seconds)) throw new TableRefused(`it has an entry whose time is "${text.slice(0, 40)}"`);
  return { seconds, nanoseconds: Number(fraction.padEnd(9, "0")) };
}

function attributes(json: unknown): ReadonlyMap<ByteString, Uint8Array> {
  const found = new Map<ByteString, Uint8Array>();
  for (const [name, value] of Object.entries(json ?? {})) {
    if (typeof value !== "string") throw new TableRefused("it has an extended attribute that is no text");
    found.set(byteStringOf(name), Buffer.from(value, "base64"));
  }
  return found;
}
