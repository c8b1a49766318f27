import { type Fetching, fetchAndConsume } from "../operation/fetch-layers.ts";
import type { ApplyJob } from "./apply-job.ts";

/** An image whose layers become files. */
export interface Unpacking extends Fetching {
  /** Absolute path of the private directory that becomes the root filesystem. */
  readonly staging: string;
  /** Whether a list of the files (mtree(5)) is wanted afterwards. Default: false. */
  readonly isRecorded?: boolean;
}

/** Blobs come in, files come out; both at once, until all is verified. Gives how many bytes of blobs were in a store. */
export function fetchAndApply(unpacking: Unpacking): Promise<number> {
  const { layers, staging, isRecorded = false, progress, settings } = unpacking;
  return fetchAndConsume(
    unpacking,
    (input): ApplyJob => ({
      type: "apply",
      input,
      progress: progress.shared,
      layers: layers.length,
      staging,
      isRecorded,
      sandbox: settings.sandbox,
      settings: settings.apply,
    }),
  );
}
