import { openTemporaryFile } from "../blob/temporary-file.ts";
import type { ArchiveJob, MergeJob } from "../export/merge-job.ts";
import { SelectedEntries } from "../export/selected-entries.ts";
import { fetchAndConsume } from "../operation/fetch-layers.ts";
import type { EngineReport } from "../worker/messages.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { Progress } from "../worker/progress.ts";
import type { ApplyJob } from "./apply-job.ts";
import type { Unpacking } from "./apply-layers.ts";

export interface SelectedOutcome {
  /** Compressed bytes of the layers that came out of a store. */
  readonly storedBytes: number;
  /** How many entries of the merged tree were applied. */
  readonly keptEntries: number;
}

/**
 * As `fetchAndApply`, where only a part of the image is wanted. Which part that is can be told when all layers are merged:
 * so they are merged in memory first, and what is wanted of the tree is applied as if it were the image's only layer.
 */
export async function fetchAndApplySelected(unpacking: Unpacking): Promise<SelectedOutcome> {
  const { layers, directory, pipeline, progress, account, settings, staging, isRecorded = false } = unpacking;
  await using merging = new Pipeline(settings.apply.limits, "tree-worker");
  await using contents = await openTemporaryFile(directory);
  const common = { sandbox: settings.sandbox, settings: settings.apply };
  const storedBytes = await fetchAndConsume(
    { ...unpacking, pipeline: merging },
    (input): MergeJob => ({
      ...{ type: "merge", input, progress: progress.shared, layers: layers.length, contents: contents.fd, ...common },
    }),
  );

  const applied = Progress.forLayers(1);
  const selected = new SelectedEntries(account);
  await pipeline.consume(
    (input): ApplyJob => ({
      type: "apply",
      input,
      progress: applied.shared,
      layers: 1,
      staging,
      isRecorded,
      ...common,
    }),
    (write, signal) =>
      merging.pour((outlet): ArchiveJob => ({ type: "archive", form: "tar", selection: settings.selection, outlet }), {
        ...{ take: write, onReport: selected.report, signal },
      }),
    { onReport: (report) => isOfLayers(report) || account.report(report), signal: account.signal },
  );
  selected.tellUnmatched(settings.apply.strict);
  return { storedBytes, keptEntries: selected.count };
}

/** The image's own layers have been told of. */
function isOfLayers({ type }: EngineReport): boolean {
  return type === "layer-started" || type === "layer-finished";
}
