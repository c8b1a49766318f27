import { Buffer } from "node:buffer";
import { type ByteString, byteStringOf, bytesOf, textOf } from "../tar/byte-string.ts";
import type { Entry, EntryType, Segment, Timestamp } from "../tar/entry.ts";

/** The version of the format of indexes. One of another version is not read. */
export const tocVersion = 1;

/** What an index says of an entry besides what the archive's header does. */
export interface DataFacts {
  /** Where the data of a file begin in the decompressed archive. */
  readonly dataOffset: number;
  /** The SHA-256 of a file, holes as zeros, in hexadecimal digits; absent where its holes were too large. */
  readonly digest?: string | undefined;
  /** Of a sparse file, the SHA-256 of its segments' data alone. */
  readonly dataDigest?: string | undefined;
}

/**
 * An entry as the index of a layer has it: the members that the tables of contents of eStargz and zstd:chunked have,
 * with the same meaning, and a few more. What is 0 or empty is left out.
 */
export interface TocEntry {
  /** The path, decoded as UTF-8. */
  readonly name: string;
  /** The bytes of the path in base64, where they are not UTF-8. So it is with other names. */
  readonly nameBase64?: string;
  readonly type: string;
  /** The type flag of an entry that has no meaning in a layer. */
  readonly typeFlag?: string;
  readonly size?: number;
  readonly linkName?: string;
  readonly linkNameBase64?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** RFC 3339, or the number of seconds and nanoseconds where the year has not four digits. */
  readonly modtime: TocTime;
  readonly accesstime?: TocTime;
  readonly devMajor?: number;
  readonly devMinor?: number;
  /** Values in base64. */
  readonly xattrs?: Readonly<Record<string, string>>;
  /** Names and values in base64, where a name is not UTF-8. */
  readonly xattrsBase64?: readonly (readonly [string, string])[];
  /** Offset and length of each segment of a sparse file. */
  readonly segments?: readonly (readonly [number, number])[];
  readonly digest?: string;
  readonly dataDigest?: string;
  readonly dataOffset?: number;
}

type TocTime = string | readonly [number, number];

const tocTypes: Readonly<Record<EntryType, string>> = {
  file: "reg",
  directory: "dir",
  symlink: "symlink",
  hardlink: "hardlink",
  fifo: "fifo",
  "character-device": "char",
  "block-device": "block",
  other: "other",
};

const entryTypes = new Map(Object.entries(tocTypes).map(([type, word]) => [word, type as EntryType]));

/** The prefix of a digest in an index. */
const sha256 = "sha256:";

/** Puts entries into words. */
export class TocEntryWriter {
  readonly #modtime = new TimeWords();
  readonly #accesstime = new TimeWords();

  /** An entry as JSON, on one line. */
  line(entry: Entry, { dataOffset, digest, dataDigest }: DataFacts): string {
    const { type, path, linkPath, mode, uid, gid, sizeBytes, mtime, atime, xattrs, segments } = entry;
    let line = `{${nameMember("name", path)},"type":"${tocTypes[type]}","modtime":${this.#modtime.of(mtime)}`;
    if (mode !== 0) line += `,"mode":${mode}`;
    if (uid !== 0) line += `,"uid":${uid}`;
    if (gid !== 0) line += `,"gid":${gid}`;
    if (sizeBytes !== 0) line += `,"size":${sizeBytes},"dataOffset":${dataOffset}`;
    if (digest !== undefined) line += `,"digest":"${sha256}${digest}"`;
    if (dataDigest !== undefined) line += `,"dataDigest":"${sha256}${dataDigest}"`;
    if (linkPath !== "") line += `,${nameMember("linkName", linkPath)}`;
    if (type === "other") line += `,"typeFlag":${JSON.stringify(entry.typeFlag)}`;
    if (entry.deviceMajor !== 0) line += `,"devMajor":${entry.deviceMajor}`;
    if (entry.deviceMinor !== 0) line += `,"devMinor":${entry.deviceMinor}`;
    if (atime !== undefined) line += `,"accesstime":${this.#accesstime.of(atime)}`;
    if (xattrs !== undefined) line += `,${xattrsMember(xattrs)}`;
    if (segments !== undefined)
      line += `,"segments":${JSON.stringify(segments.map(({ offset, length }) => [offset, length]))}`;
    return `${line}}`;
  }
}

/** Finds entries in words again. */
export class TocEntryReader {
  readonly #modtime = new TimeMeaning();
  readonly #accesstime = new TimeMeaning();

  entry(toc: TocEntry): Entry {
    const { size = 0, mode = 0, uid = 0, gid = 0, devMajor = 0, devMinor = 0, typeFlag = "" } = toc;
    const type = entryTypes.get(toc.type);
    if (type === undefined) throw new TypeError(`an index has no entries of type ${toc.type}`);
    const common = {
      type,
      typeFlag,
      path: nameOf(toc.name, toc.nameBase64),
      linkPath: nameOf(toc.linkName ?? "", toc.linkNameBase64),
      mode,
      uid,
      gid,
      sizeBytes: size,
      mtime: this.#modtime.of(toc.modtime),
      deviceMajor: devMajor,
      deviceMinor: devMinor,
      offset: 0,
    };
    const { accesstime, segments } = toc;
    const xattrs = xattrsOf(toc);
    if (accesstime === undefined && xattrs === undefined && segments === undefined) return common;
    return {
      ...common,
      ...(segments !== undefined && { segments: segments.map(segmentOf) }),
      ...(accesstime !== undefined && { atime: this.#accesstime.of(accesstime) }),
      ...(xattrs !== undefined && { xattrs }),
    };
  }

  facts({ dataOffset = 0, digest, dataDigest }: TocEntry): DataFacts {
    return {
      dataOffset,
      digest: digest?.slice(sha256.length),
      dataDigest: dataDigest?.slice(sha256.length),
    };
  }
}

function segmentOf([offset, length]: readonly [number, number]): Segment {
  return { offset, length };
}

// Linear: one character is looked for.
const plainName = /^[ !#-[\]-~]*$/;
const beyondAscii = /[^\0-\x7f]/;

/** `"key":"…"`, and the bytes in base64 besides where a text cannot have them. */
function nameMember(key: string, name: ByteString): string {
  if (plainName.test(name)) return `"${key}":"${name}"`;
  const text = textOf(name);
  const member = `"${key}":${JSON.stringify(text)}`;
  return byteStringOf(text) === name ? member : `${member},"${key}Base64":"${base64(bytesOf(name))}"`;
}

function nameOf(text: string, encoded: string | undefined): ByteString {
  if (encoded !== undefined) return Buffer.from(encoded, "base64").toString("latin1") as ByteString;
  return beyondAscii.test(text) ? byteStringOf(text) : (text as ByteString);
}

/** A name that a member of an object can have, without losing its bytes or its place. */
function isMemberName(name: ByteString): boolean {
  return plainName.test(name) && /^[^0-9_]/.test(name);
}

function xattrsMember(xattrs: NonNullable<Entry["xattrs"]>): string {
  const pairs = [...xattrs];
  if (!pairs.every(([name]) => isMemberName(name)))
    return `"xattrsBase64":${JSON.stringify(pairs.map(([name, value]) => [base64(bytesOf(name)), base64(value)]))}`;
  return `"xattrs":{${pairs.map(([name, value]) => `"${name}":"${base64(value)}"`).join(",")}}`;
}

function xattrsOf({ xattrs, xattrsBase64 }: TocEntry): Entry["xattrs"] {
  if (xattrsBase64 !== undefined)
    return new Map(xattrsBase64.map(([name, value]) => [nameOf("", name), Buffer.from(value, "base64")]));
  if (xattrs === undefined) return undefined;
  return new Map(
    Object.entries(xattrs).map(([name, value]) => [nameOf(name, undefined), Buffer.from(value, "base64")]),
  );
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** The first second of the year 0, and of the year 10,000. */
const firstSecond = -62_167_219_200;
const endSecond = 253_402_300_800;

/** Times as JSON. Files of a layer often have the same time. */
class TimeWords {
  #time: Timestamp = { seconds: 0, nanoseconds: 0 };
  #words = wordsForTime(this.#time);

  of(time: Timestamp): string {
    if (time.seconds !== this.#time.seconds || time.nanoseconds !== this.#time.nanoseconds) {
      this.#time = time;
      this.#words = wordsForTime(time);
    }
    return this.#words;
  }
}

function wordsForTime({ seconds, nanoseconds }: Timestamp): string {
  if (seconds < firstSecond || seconds >= endSecond) return `[${seconds},${nanoseconds}]`;
  const text = new Date(seconds * 1000).toISOString().slice(0, -".000Z".length);
  return nanoseconds === 0 ? `"${text}Z"` : `"${text}.${String(nanoseconds).padStart(9, "0")}Z"`;
}

/** Times out of JSON. */
class TimeMeaning {
  #words: TocTime = "1970-01-01T00:00:00Z";
  #time: Timestamp = { seconds: 0, nanoseconds: 0 };

  of(words: TocTime): Timestamp {
    if (words !== this.#words) {
      this.#words = words;
      this.#time = timeOf(words);
    }
    return this.#time;
  }
}

/** `2026-01-31T17:05:00` is the part of a time that has whole seconds. */
const wholeSeconds = 19;

function timeOf(words: TocTime): Timestamp {
  if (typeof words !== "string") return { seconds: words[0], nanoseconds: words[1] };
  const nanoseconds = words.length > wholeSeconds + 1 ? Number(words.slice(wholeSeconds + 1, -1)) : 0;
  return { seconds: Date.parse(`${words.slice(0, wholeSeconds)}Z`) / 1000, nanoseconds };
}
