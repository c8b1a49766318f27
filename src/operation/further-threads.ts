import { isWorthReadingAhead } from "../blob/read-ahead.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import type { UnpackSettings } from "./options.ts";

/**
 * How many threads help, by the number of processors. The others are for what decompresses in order, digests, makes
 * names and downloads.
 *
 * Ahead, parts of large layers are decoded, by each thread about 450 MB/s of gzip data; what comes behind them takes
 * 1.5 GB/s at most, so that more than four would wait. Contents are those of files: making a small one takes three times
 * as long as all that its name takes, so that more than three would wait, too.
 */
const helpers = [
  { processors: 8, ahead: 4, contents: 3 },
  { processors: 6, ahead: 3, contents: 2 },
  { processors: 4, ahead: 2, contents: 2 },
] as const;

/** Digesting takes a quarter of the decompressing thread's time or more, starting a thread about 30 ms of a processor's. */
const digestedBytes = 32 * 1024 * 1024;

/**
 * From how many bytes of blobs on a thread of its own digests these, too, by the number of processors. It takes 0.6 ms
 * for each MiB off the main thread, which has to read and copy them meanwhile. Where no processor is free for it,
 * starting it has to be lost in the rest.
 */
const blobDigesting = [
  { processors: 4, bytes: 64 * 1024 * 1024 },
  { processors: 2, bytes: 256 * 1024 * 1024 },
] as const;

interface FurtherThreads {
  /** Whether a thread verifies diffIDs. */
  readonly hasDigestThread: boolean;
  /** Whether another thread digests blobs. */
  readonly hasBlobDigestThread: boolean;
  readonly aheadThreads: number;
  readonly startsAheadThreads: boolean;
  readonly contentThreads: number;
}

/**
 * Which threads these layers deserve, besides the one that decompresses and the one that takes the archives. A layer in
 * zstd is mostly one frame, which no thread can help with, so that these threads wait until there are several.
 */
export function furtherThreads(
  { processors, isDivisionStated }: Pick<UnpackSettings, "processors" | "isDivisionStated">,
  layers: readonly NumberedLayer[],
): FurtherThreads {
  const totalBytes = layers.reduce((total, { compressedBytes }) => total + compressedBytes, 0);
  const large = layers.filter(({ compressedBytes }) => isWorthReadingAhead(compressedBytes));
  const isAhead = large.some(({ compression }) => compression !== "none");
  const row = helpers.find((row) => processors >= row.processors);
  const digesting = blobDigesting.find((row) => processors >= row.processors);
  const isDivided = isDivisionStated && row !== undefined;
  return {
    hasDigestThread: layers.some(({ diffID }) => diffID !== undefined) && totalBytes >= digestedBytes && processors > 1,
    hasBlobDigestThread: digesting !== undefined && (isDivided || totalBytes >= digesting.bytes),
    aheadThreads: isAhead && row !== undefined ? row.ahead : 0,
    contentThreads: row !== undefined && (isDivided || totalBytes >= digestedBytes) ? row.contents : 0,
    startsAheadThreads: large.some(({ compression }) => compression === "gzip"),
  };
}
