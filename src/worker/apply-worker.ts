import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { openRootfs } from "../rootfs/rootfs.ts";
import { applyEntries } from "./apply-entries.ts";
import { applyOverlay } from "./apply-overlay.ts";
import { confineThread } from "./confinement.ts";
import { discardStaging } from "./discard.ts";
import type { ApplyJob } from "./protocol.ts";
import { Reporter } from "./reporter.ts";
import { RingReader } from "./ring.ts";
import { serve, tell } from "./serve.ts";

serve("oci-apply", (job) => {
  if (job.type === "apply") applyLayers(job);
  if (job.type === "apply-overlay") applyOverlay(job);
  if (job.type === "discard") discardStaging(job.staging);
});

/** Turns the archives in the ring into files beneath the staging directory, the only place this thread may write to. */
function applyLayers(job: ApplyJob): void {
  const directory = openDirectoryPath(job.staging);
  try {
    tell({ type: "confined", status: confineThread(job.sandbox, { writableBeneath: directory }) });
    const reporter = new Reporter(tell);
    const rootfs = openRootfs(directory, job.settings, reporter);
    try {
      const input = new RingReader(job.input, () => tell({ type: "space" }));
      for (let layer = 0; layer < job.layers; layer += 1) {
        applyEntries({ job, layer, input, reporter, begin: () => rootfs.beginLayer(layer) });
      }
      rootfs.finish();
    } finally {
      rootfs.close();
      reporter.close();
    }
  } finally {
    closeDescriptor(directory);
  }
}
