import { openTemporaryFile } from "../blob/temporary-file.ts";
import type { ArchiveJob } from "../export/merge-job.ts";
import { mergeLayers, SelectedEntries } from "../export/merge-layers.ts";
import { fetchLayers, type LayerTotals } from "../operation/fetch-layers.ts";
import type { AcceptedImage, Operation } from "../operation/operation.ts";
import type { UnpackResult } from "../operation/options.ts";
import type { EngineReport } from "../worker/messages.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { Progress } from "../worker/progress.ts";
import type { ApplyJob } from "./apply-job.ts";

/** Where the files of an image are made. */
interface Unpacking {
  readonly pipeline: Pipeline;
  /** Where temporary files may be made. */
  readonly directory: string;
  /** Absolute path of the private directory that becomes the root filesystem. */
  readonly staging: string;
  /** Whether a list of the files is wanted afterwards. */
  readonly isRecorded: boolean;
}

/** What was unpacked, in numbers. */
export type Applied = LayerTotals & Pick<UnpackResult, "keptEntries">;

/** Blobs come in, files come out; both at once, until all is verified. */
export function applyLayers(operation: Operation, accepted: AcceptedImage, unpacking: Unpacking): Promise<Applied> {
  const { sandbox, apply: settings } = operation.settings;
  const { staging, isRecorded } = unpacking;
  const { layers, progress } = accepted;
  return fetchLayers(
    operation,
    accepted,
    unpacking,
    (input, contents): ApplyJob => ({
      type: "apply",
      input,
      contents,
      progress: progress.shared,
      layers: layers.length,
      staging,
      isRecorded,
      sandbox,
      settings,
    }),
  );
}

/**
 * As `applyLayers`, where only a part of the image is wanted. Which part that is can be told when all layers are
 * merged: so they are merged in memory first, and what is wanted of the tree is applied as if it were the image's only
 * layer.
 */
export async function applySelected(
  operation: Operation,
  accepted: AcceptedImage,
  { pipeline, directory, staging, isRecorded }: Unpacking,
): Promise<Applied> {
  const { events } = operation;
  const { sandbox, apply: settings, selection } = operation.settings;
  await using merging = new Pipeline(settings.limits, "tree-worker");
  await using contents = await openTemporaryFile(directory);
  const totals = await mergeLayers(operation, accepted, { pipeline: merging, directory, contents: contents.fd });

  const applied = Progress.forLayers(1);
  const selected = new SelectedEntries(events);
  const archive = (outlet: ArchiveJob["outlet"]): ArchiveJob => ({ type: "archive", form: "tar", selection, outlet });
  await pipeline.consume(
    (input): ApplyJob => ({
      type: "apply",
      input,
      progress: applied.shared,
      layers: 1,
      staging,
      isRecorded,
      sandbox,
      settings,
    }),
    (write, signal) => merging.receive(archive, { take: write, onReport: selected.report, signal }),
    { onReport: (report) => isOfLayers(report) || events.report(report), signal: events.signal },
  );
  selected.tellUnmatched(settings.strict);
  return { ...totals, keptEntries: selected.count };
}

/** The image's own layers have been told of. */
function isOfLayers({ type }: EngineReport): boolean {
  return type === "layer-started" || type === "layer-finished";
}
