import type { OverlayKind, SandboxPolicy } from "../base/option-words.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineThread } from "../linux/confinement.ts";
import { syncFileSystem } from "../linux/content.ts";
import { closeDescriptor, makeDirectoryAt, openDirectoryAt, openDirectoryPath } from "../linux/syscalls.ts";
import { sharedByLayers } from "../rootfs/context.ts";
import { failure } from "../rootfs/failure.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import { applyEntries, type LayerOfEntries, Reporter } from "../worker/apply-entries.ts";
import { RingReader, type SharedRing } from "../worker/ring.ts";
import { tell } from "../worker/serve.ts";
import { OverlayFormat } from "./overlay-format.ts";
import { OverlayLayer, type OverlayLayerParts } from "./overlay-layer.ts";

/** What the applying thread is to do where each layer of an overlay becomes a directory of its own. */
export interface ApplyOverlayJob {
  readonly type: "apply-overlay";
  readonly input: SharedRing;
  readonly progress: SharedArrayBuffer;
  /** Absolute path of a private directory, in which layers are made, each as `NUMBER/diff`. */
  readonly staging: string;
  /** Absolute paths of the layers that are there already, bottom first; nothing for those in the ring. */
  readonly layers: readonly (string | undefined)[];
  readonly kind: OverlayKind;
  /** Whether all is to be on disk, and not only in memory, at the end. */
  readonly isKept: boolean;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/**
 * Turns each archive in the ring into a directory beneath the staging directory. Layers that are there already may be
 * read.
 */
export function applyOverlay(job: ApplyOverlayJob): void {
  const opened: number[] = [];
  const open = (path: string) => {
    const directory = openDirectoryPath(path);
    opened.push(directory);
    return directory;
  };
  try {
    const staging = open(job.staging);
    const present = job.layers.map((path) => (path === undefined ? undefined : open(path)));
    const readableBeneath = present.filter((directory) => directory !== undefined);
    tell({ type: "confined", status: confineThread(job.sandbox, { writableBeneath: staging, readableBeneath }) });
    makeLayers(job, staging, present, opened);
    if (job.isKept) keep(staging);
  } finally {
    for (const directory of opened) closeDescriptor(directory);
  }
}

/** A layer that others will build on must not lose anything when the machine stops. */
function keep(staging: number): void {
  const result = syncFileSystem(staging);
  if (result < 0) throw failure("write", byteStringOf("."), "syncfs", result);
}

function makeLayers(
  job: ApplyOverlayJob,
  staging: number,
  present: readonly (number | undefined)[],
  opened: number[],
): void {
  const input = new RingReader(job.input);
  const reporter = new Reporter(tell);
  const shared = sharedByLayers(job.settings.limits);
  const format = new OverlayFormat(job.kind);
  const lower: number[] = [];
  for (const [layer, there] of present.entries()) {
    const directory = there ?? newLayerDirectory(staging, layer);
    if (there === undefined) {
      opened.push(directory);
      const parts = { directory, lower: [...lower], format, settings: job.settings, reporter, shared };
      const { hidesAll } = makeLayer(parts, { job, layer, input, reporter });
      if (hidesAll) lower.length = 0;
    }
    lower.unshift(directory);
  }
  reporter.close();
}

function makeLayer(parts: OverlayLayerParts, entries: Omit<LayerOfEntries, "begin">): OverlayLayer {
  using made = new OverlayLayer(parts);
  applyEntries({ ...entries, begin: () => made });
  return made;
}

/**
 * A layer lies in `NUMBER/diff`: a directory that its own owner may not write to can only be moved with one around it.
 */
function newLayerDirectory(staging: number, layer: number): number {
  const around = newDirectory(staging, byteStringOf(String(layer)));
  try {
    return newDirectory(around, byteStringOf("diff"));
  } finally {
    closeDescriptor(around);
  }
}

function newDirectory(parent: number, name: ByteString): number {
  const result = makeDirectoryAt(parent, name, 0o700);
  const directory = result < 0 ? result : openDirectoryAt(parent, name);
  if (directory < 0) throw failure("create", name, result < 0 ? "mkdirat" : "openat", directory);
  return directory;
}
