import { gzipSync } from "node:zlib";
import type { Limits } from "../base/limits.ts";
import { textOf } from "../tar/byte-string.ts";
import { TarDecoder } from "../tar/decoder.ts";
import type { Repair } from "../tar/decoder-state.ts";
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
 * Reads an archive and writes its index. Returns whether the index is complete. Throws what is wrong with the archive.
 */
export function writeToc(archive: ByteSource, { limits, digests, write }: TocOptions): boolean {
  const writer = new TocWriter(write);
  const decoder = new TarDecoder(archive, { limits, strict: false, warning: writer.warning });
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) {
    const dataOffset = decoder.offset;
    writer.add(entry, { dataOffset, ...digests(entry, decoder) });
  }
  return writer.end(decoder.offset);
}

/**
 * Writes the index of an archive: a JSON document in gzip, with each entry on a line of its own.
 *
 *     {"version":1,"entries":[
 *     {"name":"etc/","type":"dir",…},
 *     {"name":"etc/passwd","type":"reg",…,"digest":"sha256:…"}
 *     ],"archiveBytes":10240,"warnings":[]}
 */
export class TocWriter {
  readonly #text: MemberWriter;
  readonly #entries = new TocEntryWriter();
  readonly #warnings: TocWarning[] = [];
  #warningCount = 0;
  #separator = "\n";

  /** `write` takes the index: gzip members, one after the other. */
  constructor(write: (bytes: Uint8Array) => void) {
    this.#text = new MemberWriter(write);
    this.#text.add(beginning);
  }

  add(entry: Entry, facts: DataFacts): void {
    this.#text.add(this.#separator + this.#entries.line(entry, facts));
    this.#separator = ",\n";
  }

  /** Takes down what was repaired while the archive was read. */
  readonly warning: Repair = (code, message, path) => {
    this.#warningCount += 1;
    if (this.#warningCount <= mostWarnings)
      this.#warnings.push(path === undefined ? [code, message] : [code, message, textOf(path)]);
  };

  /** Ends the index. Returns whether it is complete: with too many repairs it is not. */
  end(archiveBytes: number): boolean {
    this.#text.add(ending(archiveBytes, this.#warnings));
    this.#text.end();
    return this.#warningCount <= mostWarnings;
  }
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
