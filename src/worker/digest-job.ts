import type { SandboxPolicy } from "../base/option-words.ts";
import { DiffIDVerification } from "../blob/verified.ts";
import { confineThread } from "../linux/confinement.ts";
import type { NumberedLayer } from "./messages.ts";
import { RingReader, type SharedRing } from "./ring.ts";
import { inLayer } from "./serve.ts";

/** What the digesting thread is to do: to verify the diffIDs of the archives while another thread applies them. */
export interface DigestJob {
  readonly type: "digest";
  /** This thread is the ring's second reader. */
  readonly input: SharedRing;
  readonly layers: readonly NumberedLayer[];
  readonly sandbox: SandboxPolicy;
}

/** Verifies the diffIDs of the archives in the ring. This thread is confined so that it can open no file at all. */
export function verifyDiffIDs(job: DigestJob): void {
  confineThread(job.sandbox, {});
  const input = new RingReader(job.input, undefined, 1);
  for (const { number, diffID } of job.layers) {
    const verification = new DiffIDVerification(diffID);
    for (let chunk = input.read(); chunk !== undefined; chunk = input.read()) verification.update(chunk);
    inLayer(number, () => verification.end());
  }
}
