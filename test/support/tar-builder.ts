import type { Timestamp } from "../../src/tar/entry.ts";
import { type Bytes, bytesOf, type HeaderFields, header, joined, padding } from "./tar-header.ts";

/** The dialect that an entry is written in. `pax` is ustar, with pax records for what ustar cannot say. */
export type Dialect = "pax" | "gnu" | "ustar" | "v7" | "star";

/** Keys and values; as pairs where a key shall stand twice. */
export type PaxRecords = Readonly<Record<string, Bytes>> | readonly (readonly [key: string, value: Bytes])[];

/** What an entry says besides its name and content; all of it has a sensible default. */
export interface Attributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since 1970, or to the nanosecond. */
  readonly mtime?: number | Timestamp;
  readonly atime?: number | Timestamp;
  /** Extended attributes, as SCHILY.xattr records. */
  readonly xattrs?: Readonly<Record<string, Bytes>>;
  readonly dialect?: Dialect;
  /** Further pax records, written last. */
  readonly pax?: PaxRecords;
  /** Header fields as they shall stand, whatever the rest says. */
  readonly header?: HeaderFields;
}

/** The mtime of an entry that states none: neither 0 nor now, so that it is not mistaken for a default of the reader. */
export const defaultMtime = 1_000_000_000;

/** A whole archive: the entries, and the two zero blocks that end it. */
export function tar(...entries: readonly Uint8Array[]): Uint8Array {
  return joined(...entries, endMarker);
}

/** An archive of any number of entries: as arguments, tens of thousands would fill the stack. */
export function tarOf(entries: readonly Uint8Array[]): Uint8Array {
  return joined(Buffer.concat(entries), endMarker);
}

/** An archive that just stops after its last entry. */
export function tarWithoutEnd(...entries: readonly Uint8Array[]): Uint8Array {
  return joined(...entries);
}

/** The two blocks of zeros after the last entry. */
export const endMarker = new Uint8Array(1024);

export function file(path: Bytes, content: Bytes = "", attributes: Attributes = {}): Uint8Array {
  return entry("0", path, "", bytesOf(content), { mode: 0o644, ...attributes });
}

/** A directory; its name gets the trailing slash that archives give it. */
export function directory(path: string, attributes: Attributes = {}): Uint8Array {
  return entry("5", path.endsWith("/") ? path : `${path}/`, "", noBytes, { mode: 0o755, ...attributes });
}

export function symlink(path: Bytes, target: Bytes, attributes: Attributes = {}): Uint8Array {
  return entry("2", path, target, noBytes, { mode: 0o777, ...attributes });
}

export function hardlink(path: Bytes, target: Bytes, attributes: Attributes = {}): Uint8Array {
  return entry("1", path, target, noBytes, { mode: 0o644, ...attributes });
}

export function fifo(path: Bytes, attributes: Attributes = {}): Uint8Array {
  return entry("6", path, "", noBytes, { mode: 0o644, ...attributes });
}

export function device(
  path: Bytes,
  kind: "character" | "block",
  [deviceMajor, deviceMinor]: readonly [major: number, minor: number],
  attributes: Attributes = {},
): Uint8Array {
  const header = { deviceMajor, deviceMinor, ...attributes.header };
  return entry(kind === "character" ? "3" : "4", path, "", noBytes, { mode: 0o600, ...attributes, header });
}

/** Hides `d/x` of the layers below by an empty file `d/.wh.x` (image-spec, layer.md, "Whiteouts"). */
export function whiteout(path: string, attributes: Attributes = {}): Uint8Array {
  const slash = path.lastIndexOf("/") + 1;
  return file(`${path.slice(0, slash)}.wh.${path.slice(slash)}`, "", attributes);
}

/** Hides everything that the layers below have in a directory; "" is the root. */
export function opaque(path: string, attributes: Attributes = {}): Uint8Array {
  return file(path === "" ? ".wh..wh..opq" : `${path}/.wh..wh..opq`, "", attributes);
}

/** An entry of any type flag, with whatever body. */
export function entry(
  typeFlag: string,
  path: Bytes,
  target: Bytes,
  content: Uint8Array,
  attributes: Attributes = {},
): Uint8Array {
  const { dialect = "pax", mode = 0o644, uid = 0, gid = 0, mtime = defaultMtime, atime } = attributes;
  const member = {
    name: bytesOf(path),
    linkName: bytesOf(target),
    numbers: { uid, gid, size: content.length },
    mtime: timestamp(mtime),
    ...(atime === undefined ? {} : { atime: timestamp(atime) }),
  };
  const written = dialects[dialect](member);
  const records = [
    ...pairsOf(written.records ?? {}),
    ...Object.entries(attributes.xattrs ?? {}).map(([key, value]) => [`SCHILY.xattr.${key}`, value] as const),
    ...pairsOf(attributes.pax ?? {}),
  ];
  return joined(
    records.length > 0 ? pax(records) : "",
    ...(written.before ?? []),
    header({
      typeFlag,
      mode,
      ...member.numbers,
      mtime: member.mtime.seconds,
      linkName: member.linkName.slice(0, 100),
      ...written.fields,
      ...attributes.header,
    }),
    content,
    padding(content),
  );
}

/** A pax extended header, whose records say more about the entry that follows. */
export function pax(records: PaxRecords): Uint8Array {
  return paxText(paxRecords(records));
}

/** A pax extended header with a text of one's own making, well-formed or not. */
export function paxText(text: Bytes, fields: HeaderFields = {}): Uint8Array {
  return extension({ name: "PaxHeaders/x", typeFlag: "x", ...magics.ustar, ...fields }, text);
}

/** A pax global header, whose records are meant for all entries that follow. */
export function paxGlobal(records: PaxRecords): Uint8Array {
  return paxText(paxRecords(records), { name: "pax_global_header", typeFlag: "g" });
}

/** One record, `length key=value\n`, whose length counts its own digits too (POSIX pax, "Extended Header"). */
export function paxRecord(key: Bytes, value: Bytes): Uint8Array {
  const rest = joined(" ", key, "=", value, "\n");
  let length = rest.length;
  while (length !== String(length).length + rest.length) length = String(length).length + rest.length;
  return joined(String(length), rest);
}

function paxRecords(records: PaxRecords): Uint8Array {
  return joined(...pairsOf(records).map(([key, value]) => paxRecord(key, value)));
}

export function pairsOf(records: PaxRecords): readonly (readonly [key: string, value: Bytes])[] {
  return Array.isArray(records) ? records : Object.entries(records);
}

/** GNU's way to give the entry that follows a path of any length. */
export function gnuLongName(path: Bytes): Uint8Array {
  return extension({ name: "././@LongLink", typeFlag: "L", ...magics.gnu }, joined(path, "\0"));
}

/** GNU's way to give the entry that follows a link target of any length. */
export function gnuLongLink(target: Bytes): Uint8Array {
  return extension({ name: "././@LongLink", typeFlag: "K", ...magics.gnu }, joined(target, "\0"));
}

/** A header with a body, of which nothing but the fields given and the size is known. */
export function extension(fields: HeaderFields, content: Bytes): Uint8Array {
  const bytes = bytesOf(content);
  return joined(header({ size: bytes.length, ...fields }), bytes, padding(bytes));
}

/** What makes a header ustar's, GNU's or star's; v7 knew no such mark. */
export const magics = {
  ustar: { magic: "ustar\0", version: "00" },
  gnu: { magic: "ustar ", version: " \0" },
  star: { magic: "ustar\0", version: "00", starTrailer: "tar\0" },
} as const;

const noBytes = new Uint8Array(0);

interface Member {
  readonly name: Uint8Array;
  readonly linkName: Uint8Array;
  readonly numbers: { readonly uid: number; readonly gid: number; readonly size: number };
  readonly mtime: Timestamp;
  readonly atime?: Timestamp;
}

/** What a dialect makes of a member: header fields, pax records, and extension headers that precede it. */
interface Written {
  readonly fields: HeaderFields;
  readonly records?: Readonly<Record<string, Bytes>>;
  readonly before?: readonly Uint8Array[];
}

const dialects: Readonly<Record<Dialect, (member: Member) => Written>> = {
  v7: ({ name }) => ({ fields: { name } }),

  ustar: ({ name }) => ({ fields: { ...magics.ustar, ...split(name, "prefix", 155) } }),

  star: ({ name, atime }) => ({
    fields: { ...magics.star, ...split(name, "starPrefix", 130), ...(atime && { starAtime: atime.seconds }) },
  }),

  gnu: ({ name, linkName, atime }) => ({
    fields: { ...magics.gnu, name: name.slice(0, 100), ...(atime && { gnuAtime: atime.seconds }) },
    before: [
      ...(name.length > 100 ? [gnuLongName(name)] : []),
      ...(linkName.length > 100 ? [gnuLongLink(linkName)] : []),
    ],
  }),

  pax({ name, linkName, numbers, mtime, atime }) {
    const inOctal = mtime.nanoseconds === 0 && mtime.seconds >= 0 && mtime.seconds < 8 ** 11;
    const large = Object.entries(numbers).filter(
      ([key, value]) => value < 0 || value >= 8 ** (key === "size" ? 11 : 7),
    );
    return {
      fields: {
        ...magics.ustar,
        name: name.slice(0, 100),
        ...(inOctal ? {} : { mtime: 0 }),
        ...Object.fromEntries(large.map(([key]) => [key, 0])),
      },
      records: {
        ...(name.length > 100 && { path: name }),
        ...(linkName.length > 100 && { linkpath: linkName }),
        ...Object.fromEntries(large.map(([key, value]) => [key, String(value)])),
        ...(inOctal ? {} : { mtime: timeText(mtime) }),
        ...(atime && { atime: timeText(atime) }),
      },
    };
  },
};

/** Puts what goes before some slash into the prefix where the name alone is too long. */
function split(name: Uint8Array, prefix: "prefix" | "starPrefix", width: number): HeaderFields {
  if (name.length <= 100) return { name };
  const slash = name.indexOf(0x2f, name.length - 101);
  if (slash < 1 || slash > width) throw new RangeError("this dialect cannot hold so long a name");
  return { name: name.slice(slash + 1), [prefix]: name.slice(0, slash) };
}

function timestamp(time: number | Timestamp): Timestamp {
  return typeof time === "number" ? { seconds: time, nanoseconds: 0 } : time;
}

/** Decimal seconds; minus 1.5 is held as seconds -2 and 500,000,000 nanoseconds. */
function timeText({ seconds, nanoseconds }: Timestamp): string {
  const total = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  const digits = String(total < 0n ? -total : total).padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "");
  return `${total < 0n ? "-" : ""}${digits.slice(0, -9)}${fraction === "" ? "" : `.${fraction}`}`;
}
