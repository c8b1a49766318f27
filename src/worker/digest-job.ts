import type { Limits } from "../base/limits.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { DiffIDVerification } from "../blob/verified.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import type { ByteSource } from "../tar/entry.ts";
import { dataDigests } from "../toc/data-digests.ts";
import { DigestibleHoles } from "../toc/digested-body.ts";
import { writeToc } from "../toc/toc-writer.ts";
import type { NumberedLayer } from "./messages.ts";
import { Outlet, type SharedOutlet } from "./outlet.ts";
import { RingCancelled, RingReader, type SharedRing } from "./ring.ts";
import { inLayer, tell } from "./serve.ts";

/** What the digesting thread is to do with the archives while another thread applies them. */
export interface DigestJob {
  readonly type: "digest";
  /** This thread is the ring's second reader. */
  readonly input: SharedRing;
  readonly layers: readonly NumberedLayer[];
  /** Whether this thread verifies the diffIDs; otherwise the decompressing thread does, before an archive ends. */
  readonly verifies: boolean;
  /** Which layers an index is made of, by their numbers, and where it goes. Default: none. */
  readonly index?: { readonly layers: readonly number[]; readonly outlet: SharedOutlet };
  readonly sandbox: SandboxPolicy;
  readonly limits: Limits;
}

/** The report that the index of a layer has been written, or that it could not be made. */
export type DigestReport = { readonly type: "indexed"; readonly layer: number; readonly isComplete: boolean };

/**
 * Verifies the diffIDs of the archives in the ring, and makes indexes of them. This thread is confined so that it can
 * open no file at all.
 */
export function digestArchives(job: DigestJob): void {
  confineFromFiles(job.sandbox);
  const input = new RingReader(job.input, undefined, 1);
  const outlet = job.index && new Outlet(job.index.outlet, (bytes) => tell({ type: "bytes", bytes }));
  const holes = new DigestibleHoles(job.limits);
  for (const layer of job.layers) {
    const { diffID } = layer;
    const verifies = job.verifies && diffID !== undefined;
    const archive = new PassedArchive(input, verifies ? new DiffIDVerification(diffID) : undefined);
    const isIndexed = outlet !== undefined && job.index?.layers.includes(layer.number) === true;
    const isComplete = isIndexed && hasWrittenToc(archive, outlet, { limits: job.limits, holes });
    inLayer(layer.number, () => archive.end());
    if (!isIndexed) continue;
    outlet.end();
    tell<DigestReport>({ type: "indexed", layer: layer.number, isComplete });
  }
}

/** Whoever applies the archive tells what is wrong with it. */
function hasWrittenToc(
  archive: ByteSource,
  outlet: Outlet,
  { limits, holes }: { readonly limits: Limits; readonly holes: DigestibleHoles },
): boolean {
  try {
    return writeToc(archive, {
      limits,
      digests: (entry, decoder) => (entry.sizeBytes === 0 ? {} : dataDigests(entry, decoder, holes)),
      write: (bytes) => outlet.write(bytes),
    });
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
