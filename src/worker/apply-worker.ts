import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { openRootfs, type Rootfs } from "../rootfs/rootfs.ts";
import { TarDecoder } from "../tar/decoder.ts";
import { confineThread } from "./confinement.ts";
import { discardStaging } from "./discard.ts";
import { inLayer } from "./in-layer.ts";
import { Progress } from "./progress.ts";
import type { ApplyJob } from "./protocol.ts";
import { Reporter } from "./reporter.ts";
import { RingReader } from "./ring.ts";
import { serve, tell } from "./serve.ts";

serve("oci-apply", (job) => {
  if (job.type === "apply") applyLayers(job);
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
      const input = new RingReader(job.input);
      for (let layer = 0; layer < job.layers; layer += 1) applyLayer(job, layer, input, rootfs, reporter);
      rootfs.finish();
    } finally {
      rootfs.close();
      reporter.close();
    }
  } finally {
    closeDescriptor(directory);
  }
}

function applyLayer(job: ApplyJob, layer: number, input: RingReader, rootfs: Rootfs, reporter: Reporter): void {
  tell({ type: "layer-started", layer });
  reporter.layer = layer;
  const { limits, strict } = job.settings;
  const progress = new Progress(job.progress);
  const decoder = new TarDecoder(input, { limits, strict, warning: reporter.warning });
  const applier = rootfs.beginLayer(layer);
  let entries = 0;
  inLayer(layer, () => {
    for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) {
      applier.apply(entry, decoder);
      entries += 1;
      progress.setEntries(layer, entries);
    }
    applier.end();
  });
  tell({ type: "layer-unpacked", layer, entries });
}
