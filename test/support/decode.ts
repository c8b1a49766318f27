import { Buffer } from "node:buffer";
import { defaultLimits, type Limits } from "../../src/base/limits.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import type { ByteSource, Entry } from "../../src/tar/entry.ts";
import { defaultMtime } from "./tar-builder.ts";

/** An entry and its data, as text where each character is a byte. */
export interface DecodedEntry extends Entry {
  readonly content: string;
}

/** What a decoder made of an archive. */
export interface Decoded {
  readonly entries: readonly DecodedEntry[];
  /** The code of each warning, in order. */
  readonly warnings: readonly string[];
}

export interface DecodeOptions {
  readonly strict?: boolean;
  readonly limits?: Partial<Limits>;
  /** How many bytes the next chunk has; without it there is one chunk. */
  readonly chunkBytes?: () => number;
}

/** Decodes a whole archive. */
export function decoded(archive: Uint8Array, options: DecodeOptions = {}): Decoded {
  const entries: DecodedEntry[] = [];
  const warnings: string[] = [];
  const decoder = new TarDecoder(inChunks(archive, options.chunkBytes ?? (() => archive.length)), {
    limits: { ...defaultLimits, ...options.limits },
    strict: options.strict ?? false,
    warning: (code) => warnings.push(code),
  });
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) {
    entries.push({ ...entry, content: contentOf(decoder) });
  }
  return { entries, warnings };
}

/** Decodes an archive that holds one entry and gives no reason for a warning. */
export function decodedEntry(archive: Uint8Array, options: DecodeOptions = {}): DecodedEntry {
  const { entries, warnings } = decoded(archive, options);
  const [entry] = entries;
  if (entry === undefined || entries.length > 1 || warnings.length > 0) {
    throw new Error(`expected one entry, not ${entries.length}, and no warnings, not [${warnings}]`);
  }
  return entry;
}

/** The entry that the builder's `file("f")` is, with differences. */
export function expectedEntry(differences: Partial<Omit<DecodedEntry, "path" | "linkPath">> & Names): DecodedEntry {
  const { path = "f", linkPath = "", ...others } = differences;
  return {
    type: "file",
    typeFlag: "0",
    path: byteStringOf(path),
    linkPath: byteStringOf(linkPath),
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtime: { seconds: defaultMtime, nanoseconds: 0 },
    deviceMajor: 0,
    deviceMinor: 0,
    offset: 0,
    content: "",
    ...others,
  };
}

interface Names {
  readonly path?: string;
  readonly linkPath?: string;
}

/** All that `read` yields, as text where each character is a byte. */
export function contentOf(source: ByteSource): string {
  const pieces: Buffer[] = [];
  for (let piece = source.read(); piece !== undefined; piece = source.read()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString("latin1");
}

/**
 * A source of bytes in chunks of any sizes, each of which really is invalid after the next `read`.
 *
 * The chunks lie in shared memory, as they do between the threads.
 */
export function inChunks(bytes: Uint8Array, chunkBytes: () => number): ByteSource {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  let start = 0;
  let end = 0;
  return {
    read() {
      shared.fill(0xee, start, end);
      if (end === bytes.length) return undefined;
      start = end;
      end = Math.min(bytes.length, start + Math.max(1, chunkBytes()));
      shared.set(bytes.subarray(start, end), start);
      return shared.subarray(start, end);
    },
  };
}
