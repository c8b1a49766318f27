import { fetchLayers, type LayerTotals } from "../operation/fetch-layers.ts";
import type { AcceptedImage, Operation } from "../operation/operation.ts";
import type { UnpackResult } from "../operation/options.ts";
import type { Pipeline } from "../worker/pipeline.ts";
import type { ApplyJob } from "./apply-job.ts";

/** Where the files of an image are made. */
export interface Unpacking {
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
    (input): ApplyJob => ({
      type: "apply",
      input,
      progress: progress.shared,
      layers: layers.length,
      staging,
      isRecorded,
      sandbox,
      settings,
    }),
  );
}
