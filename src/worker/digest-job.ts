import { DiffIDVerification } from "../blob/verified.ts";
import { confineThread } from "../linux/confinement.ts";
import { inLayer } from "./in-layer.ts";
import type { DigestJob } from "./messages.ts";
import { RingReader } from "./ring.ts";

/** Reads along with the applying thread and verifies each archive's diffID. May open nothing: it has no use for a file. */
export function verifyDiffIDs(job: DigestJob): void {
  confineThread(job.sandbox, {});
  const input = new RingReader(job.input, undefined, 1);
  for (const { number, diffID } of job.layers) {
    const verification = new DiffIDVerification(diffID);
    for (let chunk = input.read(); chunk !== undefined; chunk = input.read()) verification.update(chunk);
    inLayer(number, () => verification.end());
  }
}
