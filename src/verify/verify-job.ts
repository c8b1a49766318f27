import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { type Memory, MemoryBudget } from "../base/memory-budget.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineThread } from "../linux/confinement.ts";
import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { ownRights } from "../linux/thread.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { KnownBody } from "../toc/known-body.ts";
import type { DataFacts } from "../toc/toc-entry.ts";
import { ContentDigests } from "../tree/content-digests.ts";
import { MergedTree } from "../tree/merged-tree.ts";
import { keepWanted, type SelectionPatterns, selection } from "../tree/selection.ts";
import type { TreeDirectory } from "../tree/tree-file.ts";
import { applyEntries, Reporter } from "../worker/apply-entries.ts";
import { type LayersToMerge, layerIndexing } from "../worker/layer-indexing.ts";
import { RingReader } from "../worker/ring.ts";
import { tell } from "../worker/serve.ts";
import { Comparison } from "./comparison.ts";
import { tellingDifferences } from "./comparison-observer.ts";
import type { Difference } from "./difference.ts";

/** The job to make a tree of the layers and compare a directory with it. */
export interface VerifyJob extends LayersToMerge {
  readonly type: "verify";
  readonly progress: SharedArrayBuffer;
  /** The absolute path of a root filesystem. */
  readonly directory: string;
  /** The part of the tree that the directory is to have. */
  readonly selection: SelectionPatterns;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** The reports of a `VerifyJob` besides the engine's. */
export type VerifyReport =
  | { readonly type: "different"; readonly difference: Difference }
  /**
   * The comparison is done. `entries` of the tree were found; `differences` were counted, though not all were reported.
   */
  | { readonly type: "compared"; readonly entries: number; readonly differences: number };

/** How many differences are reported, and how long their paths may be together. A directory could have millions. */
const toldAtMost = 10_000;
const toldBytesAtMost = 16 * 1024 * 1024;

/**
 * Makes a tree of the archives in the ring and compares a directory with it, the only one that this thread may read.
 */
export function verify(job: VerifyJob): void {
  const rights = ownRights();
  const directory = openDirectoryPath(job.directory);
  try {
    tell({ type: "confined", status: confineThread(job.sandbox, { readableBeneath: [directory] }) });
    const memory = new MemoryBudget(job.settings.limits);
    const digests = new ContentDigests(memory);
    const root = mergedTree(job, digests, memory);
    keepWanted(root, selection(job.selection));
    let differences = 0;
    let bytes = 0;
    const comparison = new Comparison({
      settings: job.settings,
      rights,
      digestOf: ({ content }) => digests.get(content),
      observer: tellingDifferences((difference) => {
        differences += 1;
        bytes += difference.path.length;
        if (differences <= toldAtMost && bytes <= toldBytesAtMost)
          tell<VerifyReport>({ type: "different", difference });
      }),
    });
    comparison.compare(root, directory);
    tell<VerifyReport>({ type: "compared", entries: comparison.count, differences });
  } finally {
    closeDescriptor(directory);
  }
}

function mergedTree(job: VerifyJob, digests: ContentDigests, memory: Memory): TreeDirectory {
  const { settings } = job;
  const reporter = new Reporter(tell);
  // An empty file in place of a device may have the device recorded on it, so the tree has to have devices.
  const devices = settings.devices === "placeholder" ? "create" : settings.devices;
  const tree = new MergedTree({ ...settings, devices }, reporter, { memory });
  const input = new RingReader(job.input);
  const indexing = layerIndexing(job);
  const store = (_entry: Entry, body: ByteSource) => digests.add(digestOf(body));
  try {
    for (const { number: layer, form } of job.layers) {
      applyEntries({ job, layer, form, input, reporter, indexing, begin: () => tree.beginLayer(layer, store) });
    }
  } finally {
    reporter.close();
  }
  return tree.root;
}

/** The digest of an entry's data, holes left out. */
function digestOf(body: ByteSource): Uint8Array {
  if (body instanceof KnownBody) return indexedDigest(body.facts);
  const hash = createHash("sha256");
  for (let piece = body.read(); piece !== undefined; piece = body.read()) hash.update(piece);
  return hash.digest();
}

function indexedDigest({ dataDigest, digest }: DataFacts): Uint8Array {
  return Buffer.from(dataDigest ?? digest ?? "", "hex");
}
