import { DiffIDVerification } from "../blob/diff-id.ts";
import { confineThread } from "./confinement.ts";
import { inLayer } from "./in-layer.ts";
import type { DigestJob } from "./protocol.ts";
import { RingReader } from "./ring.ts";
import { serve } from "./serve.ts";

serve("oci-digest", (job) => {
  if (job.type === "digest") verifyDiffIDs(job);
});

/** Reads along with the applying thread and verifies each archive's diffID. May open nothing: it has no use for a file. */
function verifyDiffIDs(job: DigestJob): void {
  confineThread(job.sandbox, {});
  const input = new RingReader(job.input, undefined, 1);
  for (const { number, diffID } of job.layers) {
    const verification = new DiffIDVerification(diffID);
    for (let chunk = input.read(); chunk !== undefined; chunk = input.read()) verification.update(chunk);
    inLayer(number, () => verification.end());
  }
}
