import { isWorthReadingAhead } from "../blob/read-ahead.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import type { PipelineJob } from "../worker/pipeline.ts";

/**
 * How many threads decode parts of large layers ahead, by the number of processors. The others are for what
 * decompresses in order, digests, applies and downloads. Each of them decodes about 450 MB/s of gzip data; what comes
 * behind them takes 1.5 GB/s at most, so that more than four would wait.
 */
const aheadThreads = [
  { processors: 8, threads: 4 },
  { processors: 6, threads: 3 },
  { processors: 4, threads: 2 },
] as const;

/** Digesting takes a quarter of the decompressing thread's time or more, starting a thread about 30 ms of a processor's. */
const digestedBytes = 32 * 1024 * 1024;

/**
 * Which threads these layers deserve, besides the one that decompresses and the one that takes the archives. A layer in
 * zstd is mostly one frame, which no thread can help with, so that these threads wait until there are several.
 */
export function furtherThreads(
  processors: number,
  layers: readonly NumberedLayer[],
): Required<Pick<PipelineJob, "hasDigestThread" | "aheadThreads" | "startsAheadThreads">> {
  const totalBytes = layers.reduce((total, { compressedBytes }) => total + compressedBytes, 0);
  const large = layers.filter(({ compressedBytes }) => isWorthReadingAhead(compressedBytes));
  const isAhead = large.some(({ compression }) => compression !== "none");
  const row = aheadThreads.find((row) => processors >= row.processors);
  return {
    hasDigestThread: layers.some(({ diffID }) => diffID !== undefined) && totalBytes >= digestedBytes && processors > 1,
    aheadThreads: isAhead && row !== undefined ? row.threads : 0,
    startsAheadThreads: large.some(({ compression }) => compression === "gzip"),
  };
}
