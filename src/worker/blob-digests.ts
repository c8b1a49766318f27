import type { SandboxPolicy } from "../base/option-words.ts";
import type { BlobHasher } from "../blob/verified.ts";
import type { Digest } from "../oci/digest.ts";
import type { AskedBlob, BlobDigestJob, BlobDigestReport } from "./blob-digest-job.ts";
import type { EngineReport, NumberedLayer } from "./messages.ts";
import type { SharedRing } from "./ring.ts";
import { Thread } from "./thread.ts";

interface Question {
  readonly blob: AskedBlob;
  readonly answer: (digest: Digest) => void;
}

interface Answering {
  readonly sandbox: SandboxPolicy;
  /** Must not throw. */
  readonly onReport: (report: EngineReport) => void;
  readonly stop: AbortSignal;
}

/** What the blobs of layers digest to, which a thread computes that reads them beside the decompressing one. */
export class BlobDigests {
  readonly #questions = new Map<number, Question>();

  /** Asks for the digest of a layer's blob, before the layers are read. */
  of(layer: number, { digest, sizeBytes }: Omit<AskedBlob, "layer">): BlobHasher {
    const answered = new Promise<Digest>((answer) => {
      this.#questions.set(layer, { blob: { layer, digest, sizeBytes }, answer });
    });
    return { update() {}, digest: () => answered };
  }

  /** Whether anything was asked. */
  get isAsked(): boolean {
    return this.#questions.size > 0;
  }

  /** Has the thread answer. It is the second reader of the ring, through which the layers come, one after the other. */
  async run(
    input: SharedRing,
    layers: readonly NumberedLayer[],
    { sandbox, onReport, stop }: Answering,
  ): Promise<void> {
    await using thread = new Thread("digest-worker");
    const blobs = layers.map(({ number }) => this.#questions.get(number)?.blob);
    const receive = (report: EngineReport | BlobDigestReport) => {
      if (report.type === "blob-digest") this.#questions.get(report.layer)?.answer(report.digest);
      else onReport(report);
    };
    await thread.do<BlobDigestJob, BlobDigestReport>(
      { type: "digest-blobs", input, blobs, sandbox },
      { onReport: receive, stop },
    );
  }
}
