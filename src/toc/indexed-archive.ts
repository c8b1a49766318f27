import type { TarDecoder } from "../tar/decoder.ts";
import type { Entry } from "../tar/entry.ts";
import { dataDigests } from "./data-digests.ts";
import type { DigestibleHoles } from "./digested-body.ts";
import { KnownBody } from "./known-body.ts";
import type { DataFacts } from "./toc-entry.ts";
import type { TocWriter } from "./toc-writer.ts";

const noDigests: Pick<DataFacts, "digest" | "dataDigest"> = {};

/**
 * An archive of which an index is made while somebody takes its entries who needs no data. Each file is digested once,
 * for both.
 */
export class IndexedArchive extends KnownBody {
  readonly #decoder: TarDecoder;
  readonly #writer: TocWriter;
  readonly #holes: DigestibleHoles;
  #facts: DataFacts | undefined;

  /** What `decoder` repairs it has to tell `writer`. */
  constructor(decoder: TarDecoder, writer: TocWriter, holes: DigestibleHoles) {
    super();
    this.#decoder = decoder;
    this.#writer = writer;
    this.#holes = holes;
  }

  /** The next entry; `undefined` after the last. Throws what is wrong with the archive. */
  next(): Entry | undefined {
    const entry = this.#decoder.next();
    if (entry === undefined) return undefined;
    const dataOffset = this.#decoder.offset; // it moves while data are read
    const { digest, dataDigest } = entry.sizeBytes === 0 ? noDigests : dataDigests(entry, this.#decoder, this.#holes);
    this.#facts = { dataOffset, digest, dataDigest };
    this.#writer.add(entry, this.#facts);
    return entry;
  }

  get facts(): DataFacts {
    if (this.#facts === undefined) throw new TypeError("there is no entry");
    return this.#facts;
  }

  /** Completes the index, after the last entry. Returns whether it tells everything. */
  end(): boolean {
    return this.#writer.end(this.#decoder.offset);
  }
}
