import { tmpdir } from "node:os";
import { check, type Kinds, text } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import type { Image } from "../image/resolve.ts";
import { stepsOfLayers } from "../oci/config.ts";
import type { Digest } from "../oci/digest.ts";
import { fetchByIndexes } from "../operation/fetch-layers.ts";
import { Operation } from "../operation/operation.ts";
import { applyKinds, type OperationResult, partialKinds, type UnpackOptions } from "../operation/options.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import type { ListedEntry } from "../tree/listed-entry.ts";
import { type NamedPath, namedPath } from "../tree/named-path.ts";
import type { EngineReport } from "../worker/messages.ts";
import { Pipeline } from "../worker/pipeline.ts";
import type { HistoryJob, HistoryReport, PathHistoryReport } from "./history-job.ts";
import type { PathEvent } from "./path-history.ts";
import type { ChangeCounts } from "./watched-layers.ts";

export interface HistoryOptions
  extends ResolveOptions,
    Pick<UnpackOptions, "sandbox" | "keepDirlinks" | "sourceDateEpoch" | "partial"> {}

const historyKinds: Kinds<HistoryOptions> = {
  ...resolveKinds,
  ...partialKinds,
  keepDirlinks: applyKinds.keepDirlinks,
  sourceDateEpoch: applyKinds.sourceDateEpoch,
};

/** The step that made a layer, as far as the configuration has one for each layer (image-spec, config.md, "history"). */
interface LayerStep {
  /** When, as the image says. */
  readonly created?: string;
  /** The instruction. */
  readonly createdBy?: string;
}

/** What a layer did to the tree of the layers below it. */
export interface LayerHistory extends LayerStep, ChangeCounts {
  /** From 0 at the bottom. */
  readonly layer: number;
  /** The digest of its blob. */
  readonly digest: Digest;
  /** The size of that blob. */
  readonly sizeBytes: number;
}

/** What a layer did to a path. */
export interface PathHistoryEvent extends LayerStep {
  /** From 0 at the bottom. */
  readonly layer: number;
  /**
   * "replaced": something else is there, or the same once more; "changed": only attributes are others; "removed": by a
   * whiteout; "hidden": by an opaque whiteout, or because something else stands where a directory above it was;
   * "linked": the file got a further name.
   */
  readonly kind: PathEvent["kind"];
  /** Of what was replaced or changed, what is different. */
  readonly parts?: PathEvent["parts"];
}

/** What each layer did, and what was done to a path if there was one. */
export interface HistoryResult extends Omit<OperationResult, "layers">, Partial<NamedPath> {
  /** Bottom first. */
  readonly layers: readonly LayerHistory[];
  /** The path that was asked for, without symlinks: as a process in the container finds it. The root is `.`. */
  readonly path?: string;
  /** What was done to it, the newest first. */
  readonly events?: readonly PathHistoryEvent[];
  /** What is there now; `null` if nothing is. */
  readonly now?: ListedEntry | null;
}

/**
 * Tells what each layer of an image added, changed and removed, and by which instruction; with a path also what was done
 * to that. Nothing is unpacked: layers are merged in memory, each verified, and by its index where a store has that.
 *
 * What was added, changed or removed is told by the trees before and after a layer, directories that are only implied
 * included. A path at which nothing ever was is `NOT_FOUND`.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function history(name: string, path?: string, options: HistoryOptions = {}): Promise<HistoryResult> {
  if (path !== undefined) check("path", path, text);
  await using operation = Operation.begin(name, options, historyKinds);
  const { events, settings, signal } = operation;
  await using pipeline = new Pipeline(settings.apply.limits, "tree-worker"); // while the network is asked, the threads start
  const accepted = await operation.resolve(await operation.source());

  const { image, progress } = accepted;
  const findings = new Findings(events.report);
  await fetchByIndexes(
    operation,
    accepted,
    { pipeline, directory: tmpdir(), onReport: findings.report },
    (merged): HistoryJob => ({
      type: "history",
      ...merged,
      progress: progress.shared,
      ...present({ path: path === undefined ? undefined : byteStringOf(path) }),
      sandbox: settings.sandbox,
      settings: settings.apply,
    }),
  );
  signal.throwIfAborted();
  return { ...operation.finish(image), ...findings.summary(image) };
}

const rootPath = ".";

/** What the merging thread found. */
class Findings {
  readonly #next: (report: EngineReport) => void;
  readonly #counts: ChangeCounts[] = [];
  #path: PathHistoryReport | undefined;

  /** All other reports are for `next`. */
  constructor(next: (report: EngineReport) => void) {
    this.#next = next;
  }

  readonly report = (report: EngineReport | HistoryReport): void => {
    if (report.type === "layer-changes") this.#counts[report.layer] = report.counts;
    else if (report.type === "path-history") this.#path = report.history;
    else this.#next(report);
  };

  summary(image: Image): Pick<HistoryResult, "layers" | "path" | "pathBase64" | "events" | "now"> {
    const steps = stepsOf(image);
    const layers = image.layers.map(({ descriptor: { digest, sizeBytes } }, layer) => {
      const counts = this.#counts[layer] ?? { added: 0, changed: 0, removed: 0 };
      return { layer, digest, sizeBytes, ...steps[layer], ...counts };
    });
    if (this.#path === undefined) return { layers };
    const { entryPath, events, now } = this.#path;
    const told = events.map(({ layer, kind, parts }) => {
      return { layer, kind, ...(parts.length > 0 && { parts }), ...steps[layer] };
    });
    if (entryPath !== "") return { layers, ...namedPath(entryPath), events: told, now };
    return { layers, path: rootPath, events: told, now: now && { ...now, path: rootPath } };
  }
}

/** The step of each layer, where it is known. */
function stepsOf({ config }: Image): readonly LayerStep[] {
  return stepsOfLayers(config).map(({ created, createdBy }) => present({ created, createdBy }));
}
