import { MemoryBudget } from "../base/memory-budget.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineThread } from "../linux/confinement.ts";
import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { ownRights } from "../linux/thread.ts";
import { HandedFiles } from "../rootfs/handed-files.ts";
import { openRootfs } from "../rootfs/rootfs.ts";
import { applyEntries, type EntrySink, Reporter } from "../worker/apply-entries.ts";
import type { ContentRings } from "../worker/content-threads.ts";
import { RingReader, type SharedRing } from "../worker/ring.ts";
import { tell } from "../worker/serve.ts";
import { type MtreeJob, Recorder } from "./mtree-job.ts";
import { RingedMakers } from "./ringed-makers.ts";

/** What the applying thread is to do, all of it, in order. */
export interface ApplyJob {
  readonly type: "apply";
  readonly input: SharedRing;
  /** The rings of threads that make files, while this one makes names. Default: none. */
  readonly contents?: readonly ContentRings[];
  readonly progress: SharedArrayBuffer;
  readonly layers: number;
  /** Absolute path of the private directory that becomes the root filesystem. */
  readonly staging: string;
  /** Whether a `MtreeJob` will follow. Default: false. */
  readonly isRecorded?: boolean;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** What the first job leaves to the next. */
let recorder: Recorder | undefined;

/** Turns the archives in the ring into files beneath the staging directory, the only place this thread may write to. */
export function applyLayers(job: ApplyJob): void {
  const directory = openDirectoryPath(job.staging);
  try {
    const memory = new MemoryBudget(job.settings.limits);
    recorder = job.isRecorded ? new Recorder(job.settings, ownRights(), memory) : undefined;
    tell({ type: "confined", status: confineThread(job.sandbox, { writableBeneath: directory }) });
    const makers = makersOf(job);
    // What is told of files, and what goes wrong with them, comes before what is told of later ones.
    const reporter: Reporter = new Reporter(tell, () => handed?.settle());
    const handed = makers && new HandedFiles(makers, reporter);
    const rootfs = openRootfs(directory, job.settings, reporter, { memory, handed });
    try {
      const input = new RingReader(job.input, () => tell({ type: "space" }));
      for (let layer = 0; layer < job.layers; layer += 1) {
        const begin = () => recorded(layer, rootfs.beginLayer(layer));
        applyEntries({ job, layer, input, reporter, begin, ...present({ handed }) });
      }
      rootfs.finish();
    } finally {
      makers?.end();
      rootfs.close();
      reporter.close();
    }
  } finally {
    closeDescriptor(directory);
  }
}

function makersOf({ contents = [] }: ApplyJob): RingedMakers | undefined {
  return contents.length === 0 ? undefined : new RingedMakers(contents);
}

function recorded(layer: number, applier: EntrySink): EntrySink {
  return recorder?.recording(layer, applier) ?? applier;
}

/** Hands over what the job before took down. */
export function writeMtree(job: MtreeJob): void {
  if (recorder === undefined) throw new TypeError("nothing was recorded");
  recorder.write(job);
}
