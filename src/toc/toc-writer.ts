import { gzipSync } from "node:zlib";
import type { Limits } from "../base/limits.ts";
import { textOf } from "../tar/byte-string.ts";
import { TarDecoder } from "../tar/decoder.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import type { TocWarning } from "./toc-decoder.ts";
import { type DataFacts, TocEntryWriter, tocVersion } from "./toc-entry.ts";

/** Of how much text one gzip member is made. */
const memberBytes = 256 * 1024;

/** More warnings than a person reads. A layer with more is read again each time. */
const mostWarnings = 1000;

export interface TocOptions {
  readonly limits: Limits;
  /** What is known of the data of an entry, which `decoder` yields. Called for each entry. */
  readonly digests: (entry: Entry, decoder: TarDecoder) => Pick<DataFacts, "digest" | "dataDigest">;
  /** Takes the index: gzip members, one after the other. */
  readonly write: (bytes: Uint8Array) => void;
}

/**
 * Reads an archive and writes its index: a JSON document in gzip, with each entry on a line of its own.
 *
 *     {"version":1,"entries":[
 *     {"name":"etc/","type":"dir",…},
 *     {"name":"etc/passwd","type":"reg",…,"digest":"sha256:…"}
 *     ],"archiveBytes":10240,"warnings":[]}
 *
 * Returns whether the index is complete. Throws what is wrong with the archive.
 */
export function writeToc(archive: ByteSource, { limits, digests, write }: TocOptions): boolean {
  const warnings: TocWarning[] = [];
  let warningCount = 0;
  const decoder = new TarDecoder(archive, {
    limits,
    strict: false,
    warning(code, message, path) {
      warningCount += 1;
      if (warningCount <= mostWarnings)
        warnings.push(path === undefined ? [code, message] : [code, message, textOf(path)]);
    },
  });
  const entries = new TocEntryWriter();
  const text = new MemberWriter(write);
  text.add(beginning);
  let separator = "\n";
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) {
    const dataOffset = decoder.offset;
    text.add(separator + entries.line(entry, { dataOffset, ...digests(entry, decoder) }));
    separator = ",\n";
  }
  text.add(ending(decoder.offset, warnings));
  text.end();
  return warningCount <= mostWarnings;
}

const beginning = `{"version":${tocVersion},"entries":[`;

function ending(archiveBytes: number, warnings: readonly TocWarning[]): string {
  return `\n],"archiveBytes":${archiveBytes},"warnings":${JSON.stringify(warnings)}}`;
}

/** The index of an archive with one entry, where nobody has to read the archive to know it. */
export function tocOfOne(entry: Entry, facts: DataFacts): Uint8Array {
  return gzipSync(`${beginning}\n${new TocEntryWriter().line(entry, facts)}${ending(entry.sizeBytes, [])}`);
}

/** Writes text as gzip members (RFC 1952), each of them of some pieces of the text. */
class MemberWriter {
  readonly #write: (bytes: Uint8Array) => void;
  #text = "";

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= memberBytes) this.end();
  }

  end(): void {
    this.#write(gzipSync(this.#text, { level: 1, chunkSize: memberBytes }));
    this.#text = "";
  }
}
