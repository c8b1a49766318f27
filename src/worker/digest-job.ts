import type { Limits } from "../base/limits.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { DiffIDVerification } from "../blob/verified.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import type { ByteSource } from "../tar/entry.ts";
import type { IndexedArchive } from "../toc/indexed-archive.ts";
import { type IndexOrder, LayerIndexing } from "./layer-indexing.ts";
import type { NumberedLayer } from "./messages.ts";
import { RingCancelled, RingReader, type SharedRing } from "./ring.ts";
import { inLayer } from "./serve.ts";

/** What the digesting thread is to do with the archives while another thread applies them. */
export interface DigestJob {
  readonly type: "digest";
  /** This thread is the ring's second reader. */
  readonly input: SharedRing;
  readonly layers: readonly NumberedLayer[];
  /** Whether this thread verifies the diffIDs; otherwise the decompressing thread does, before an archive ends. */
  readonly verifies: boolean;
  /** Which layers an index is made of. Default: none. */
  readonly index?: IndexOrder;
  readonly sandbox: SandboxPolicy;
  readonly limits: Limits;
}

/**
 * Verifies the diffIDs of the archives in the ring, and makes indexes of them. This thread is confined so that it can
 * open no file at all.
 */
export function digestArchives(job: DigestJob): void {
  confineFromFiles(job.sandbox);
  const input = new RingReader(job.input, undefined, 1);
  const indexing = job.index && new LayerIndexing(job.index, job.limits);
  const options = { limits: job.limits, strict: false, warning() {} };
  for (const layer of job.layers) {
    const { diffID } = layer;
    const verifies = job.verifies && diffID !== undefined;
    const archive = new PassedArchive(input, verifies ? new DiffIDVerification(diffID) : undefined);
    const indexed = indexing?.decode(layer.number, archive, options);
    const isComplete = indexed !== undefined && isIndexedWhole(indexed);
    inLayer(layer.number, () => archive.end());
    if (indexed !== undefined) indexing?.end(layer.number, isComplete);
  }
}

/** Reads all entries. Whoever applies the archive tells what is wrong with it. */
function isIndexedWhole(indexed: IndexedArchive): boolean {
  try {
    while (indexed.next() !== undefined);
    return indexed.end();
  } catch (error) {
    if (error instanceof RingCancelled) throw error;
    return false;
  }
}

/** An archive of the ring, of which each byte is digested. */
class PassedArchive implements ByteSource {
  readonly #input: RingReader;
  readonly #verification: DiffIDVerification | undefined;
  #hasEnded = false;

  constructor(input: RingReader, verification: DiffIDVerification | undefined) {
    this.#input = input;
    this.#verification = verification;
  }

  read(): Uint8Array | undefined {
    const chunk = this.#hasEnded ? undefined : this.#input.read();
    if (chunk === undefined) this.#hasEnded = true;
    else this.#verification?.update(chunk);
    return chunk;
  }

  /** Passes what has not been read, and throws if the archive is not the one that the diffID stands for. */
  end(): void {
    while (this.read() !== undefined);
    this.#verification?.end();
  }
}
