import { Buffer } from "node:buffer";
import type { WarningCode } from "../base/events.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { type Repair, refuseRepair } from "../tar/decoder-state.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { KnownBody } from "./known-body.ts";
import { type DataFacts, type TocEntry, TocEntryReader } from "./toc-entry.ts";

/** What was repaired while an archive was read: what it was, in words, and the path that it is about. */
export type TocWarning = readonly [code: WarningCode, message: string, path?: string];

/** What an index ends with. */
interface TocEnd {
  readonly archiveBytes: number;
  readonly warnings: readonly TocWarning[];
}

interface TocDecoderOptions {
  /** Whether every repair is an error. */
  readonly strict: boolean;
  /** Called for each repair that was made when the archive was read. */
  readonly warning: Repair;
}

const newline = 0x0a;
const comma = 0x2c;
const nothing: readonly TocEntry[] = [];

/**
 * Reads the index of a layer, decompressed, and gives the entries of the archive: those that `TarDecoder` would give, in
 * the same order, with the same errors where repairs are errors.
 *
 * Only an index whose own digest was right may be read: of another one anything could come, or an error of `JSON.parse`.
 */
export class TocDecoder extends KnownBody {
  readonly #input: ByteSource;
  readonly #options: TocDecoderOptions;
  readonly #reader = new TocEntryReader();
  /** The entries of the lines that are complete. */
  #entries: readonly TocEntry[] = nothing;
  #next = 0;
  #current: TocEntry | undefined;
  /** The pieces of a line whose end has not come. */
  #rest: Uint8Array[] = [];
  #isFirstLine = true;
  #archiveBytes: number | undefined;

  constructor(input: ByteSource, options: TocDecoderOptions) {
    super();
    this.#input = input;
    this.#options = options;
  }

  /** The next entry; `undefined` after the last. */
  next(): Entry | undefined {
    while (this.#next === this.#entries.length) if (!this.#readLines()) return undefined;
    const toc = this.#entries[this.#next];
    this.#next += 1;
    this.#current = toc;
    return toc && this.#reader.entry(toc);
  }

  /** What the index says of the data of the entry that `next` gave last. */
  get facts(): DataFacts {
    if (this.#current === undefined) throw new TypeError("there is no entry");
    return this.#reader.facts(this.#current);
  }

  /** How many bytes the decompressed archive has. Known after the last entry. */
  get archiveBytes(): number {
    if (this.#archiveBytes === undefined) throw new TypeError("the index has not been read to its end");
    return this.#archiveBytes;
  }

  /** Reads some lines. Returns false at the end of the index. */
  #readLines(): boolean {
    if (this.#archiveBytes !== undefined) return false;
    this.#entries = nothing;
    this.#next = 0;
    const chunk = this.#input.read();
    if (chunk === undefined) {
      this.#readEnd();
      return false;
    }
    const end = chunk.lastIndexOf(newline);
    if (end >= 0) {
      this.#parse(Buffer.concat([...this.#rest, chunk.subarray(0, end)]));
      this.#rest = [];
    }
    this.#rest.push(Uint8Array.from(chunk.subarray(end + 1)));
    return true;
  }

  #parse(lines: Buffer): void {
    const start = this.#isFirstLine ? lines.indexOf(newline) + 1 : 0;
    // The first line may come alone.
    const isAlone = this.#isFirstLine && start === 0;
    this.#isFirstLine = false;
    if (isAlone) return;
    const end = lines.at(-1) === comma ? lines.length - 1 : lines.length;
    this.#entries = JSON.parse(`[${lines.toString("utf8", start, end)}]`);
  }

  #readEnd(): void {
    const end: TocEnd = JSON.parse(`{"entries":[${Buffer.concat(this.#rest).toString("utf8")}`);
    this.#archiveBytes = end.archiveBytes;
    const repair = this.#options.strict ? refuseRepair : this.#options.warning;
    for (const [code, message, path] of end.warnings)
      repair(code, message, path === undefined ? undefined : byteStringOf(path));
  }
}
