import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defaultLimits } from "../../src/base/limits.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import type { IndexSink } from "../../src/worker/index-receiver.ts";
import type { EngineReport, Job } from "../../src/worker/messages.ts";
import { Pipeline } from "../../src/worker/pipeline.ts";
import { Progress } from "../../src/worker/progress.ts";
import { file, tar } from "../support/tar-builder.ts";

/** Two layers, of which the second is more than a ring holds. */
export const usualArchives = [tar(file("a", "1")), tar(file("d/b", "2".repeat(6_000_000)))];

export interface AppliedOptions {
  readonly hasDigestThread?: boolean;
  /** With these, the layers count as large ones. */
  readonly aheadThreads?: number;
  /** How many threads make files. */
  readonly contentThreads?: number;
  readonly archives?: readonly Uint8Array[];
  /** Makes the blob of an archive, whose media type is gzip's. Default: gzip. */
  readonly compressed?: (archive: Uint8Array) => Uint8Array;
  /** Is waited for when half of the first blob has come. */
  readonly between?: (staging: string) => Promise<void>;
  readonly diffIDs?: readonly Digest[];
  readonly indexes?: IndexSink;
  /** Whether a thread merges the archives, which makes the indexes too, and applies nothing. */
  readonly isMerged?: boolean;
  readonly onReport?: (report: EngineReport) => void;
  /** Prepares the staging directory. */
  readonly before?: (staging: string) => Promise<void>;
  /** Goes on with the threads. */
  readonly afterwards?: (pipeline: Pipeline, staging: string) => Promise<void>;
}

export const settings = applySettings();

/** Applies the archives, confined, and gives the directory that they were applied to. */
export async function applied(directory: string, options: AppliedOptions = {}): Promise<string> {
  const { hasDigestThread = false, aheadThreads = 0, archives = usualArchives, onReport = () => {} } = options;
  const { diffIDs = archives.map(digestOf), compressed = gzipSync } = options;
  const { contentThreads: threads = 0, isMerged = false } = options;
  const compressedBytes = aheadThreads > 0 ? 2 ** 30 : 1;
  const staging = join(directory, "staging");
  await mkdir(staging);
  await options.before?.(staging);
  await using pipeline = new Pipeline(defaultLimits, isMerged ? "tree-worker" : "apply-worker");
  const progress = Progress.forLayers(archives.length);
  const common = { progress: progress.shared, staging, sandbox: "require", settings } as const;
  const layers = diffIDs.map((diffID, number) => ({ number, compression: "gzip", compressedBytes, diffID }) as const);
  await pipeline.run(
    {
      layers,
      async *open(layer) {
        const blob = compressed(archives[layer] ?? new Uint8Array());
        const half = layer === 0 && options.between !== undefined ? blob.length >> 1 : 0;
        if (half > 0) yield blob.subarray(0, half);
        if (half > 0) await options.between?.(staging);
        yield blob.subarray(half);
      },
      prove: async () => {},
      progress,
      hasDigestThread,
      aheadThreads,
      contents: { threads, staging },
      indexes: options.indexes,
      consumerIndexes: isMerged,
      consume: (input, contents, index) =>
        isMerged
          ? ({ type: "history", input, layers, index, ...common } as Job)
          : ({ type: "apply", input, contents, layers: diffIDs.length, ...common } as Job),
      sandbox: "require",
      settings,
      onReport,
    },
    new AbortController().signal,
  );
  await options.afterwards?.(pipeline, staging);
  return staging;
}
