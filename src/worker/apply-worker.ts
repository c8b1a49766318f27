import { ownRights } from "../linux/rights.ts";
import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { MemoryBudget } from "../memory-budget.ts";
import { openRootfs } from "../rootfs/rootfs.ts";
import { applyEntries, type EntrySink } from "./apply-entries.ts";
import { applyOverlay } from "./apply-overlay.ts";
import { confineThread } from "./confinement.ts";
import { discardStaging } from "./discard.ts";
import type { ApplyJob, ManifestJob } from "./protocol.ts";
import { Recorder } from "./record.ts";
import { Reporter } from "./reporter.ts";
import { RingReader } from "./ring.ts";
import { serve, tell } from "./serve.ts";

/** What the first job leaves to the next. */
let recorder: Recorder | undefined;

serve("oci-apply", (job) => {
  if (job.type === "apply") applyLayers(job);
  if (job.type === "apply-overlay") applyOverlay(job);
  if (job.type === "manifest") writeManifest(job);
  if (job.type === "discard") discardStaging(job);
});

/** Turns the archives in the ring into files beneath the staging directory, the only place this thread may write to. */
function applyLayers(job: ApplyJob): void {
  const directory = openDirectoryPath(job.staging);
  try {
    const memory = new MemoryBudget(job.settings.limits);
    recorder = job.isRecorded ? new Recorder(job.settings, ownRights(), memory) : undefined;
    tell({ type: "confined", status: confineThread(job.sandbox, { writableBeneath: directory }) });
    const reporter = new Reporter(tell);
    const rootfs = openRootfs(directory, job.settings, reporter, memory);
    try {
      const input = new RingReader(job.input, () => tell({ type: "space" }));
      for (let layer = 0; layer < job.layers; layer += 1) {
        applyEntries({ job, layer, input, reporter, begin: () => recorded(layer, rootfs.beginLayer(layer)) });
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

function recorded(layer: number, applier: EntrySink): EntrySink {
  return recorder?.recording(layer, applier) ?? applier;
}

function writeManifest(job: ManifestJob): void {
  if (recorder === undefined) throw new TypeError("nothing was recorded");
  recorder.write(job);
}
