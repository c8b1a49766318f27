import type { SandboxPolicy } from "../base/option-words.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineThread } from "../linux/confinement.ts";
import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { openRootfs } from "../rootfs/rootfs.ts";
import type { SelectionPatterns } from "../tree/selection.ts";
import { applyEntries, Reporter } from "../worker/apply-entries.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { RingReader, type SharedRing } from "../worker/ring.ts";
import { tell } from "../worker/serve.ts";
import { wantedEntries } from "./wanted-entries.ts";

/** The job to make the files of an artifact. */
export interface ArtifactJob {
  readonly type: "artifact";
  readonly input: SharedRing;
  readonly progress: SharedArrayBuffer;
  readonly layers: readonly NumberedLayer[];
  /** Whether they are archives that were made of files, which no thread has decompressed and counted. */
  readonly passesOn: boolean;
  /** What is wanted of the archives among them. */
  readonly wanted: SelectionPatterns;
  /** Absolute path of the private directory that gets the files. */
  readonly staging: string;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** Turns the archives in the ring into files beneath the staging directory, the only place this thread may write to. */
export function makeFiles(job: ArtifactJob): void {
  const directory = openDirectoryPath(job.staging);
  try {
    tell({ type: "confined", status: confineThread(job.sandbox, { writableBeneath: directory }) });
    const reporter = new Reporter(tell);
    const rootfs = openRootfs(directory, job.settings, reporter);
    try {
      const input = new RingReader(job.input, () => tell({ type: "space" }));
      for (const { number: layer, below } of job.layers) {
        const begin = () => wantedEntries(rootfs.beginLayer(layer), below, job.wanted);
        applyEntries({ job, layer, input, counts: job.passesOn, reporter, begin });
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
