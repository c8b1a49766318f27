import { defaultLimits, type Limits } from "../base/limits.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import type { AheadThread } from "../blob/ahead-thread.ts";
import { CompressedInput } from "../blob/compressed-input.ts";
import { decompress } from "../blob/decompressed.ts";
import { DecompressedOutput } from "../blob/decompressed-output.ts";
import { isWorthReadingAhead, ReadAhead } from "../blob/read-ahead.ts";
import { DiffIDVerification } from "../blob/verified.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import type { AheadRings } from "./ahead-job.ts";
import { RingedAheadThread } from "./ahead-thread.ts";
import type { NumberedLayer } from "./messages.ts";
import { Progress } from "./progress.ts";
import { RingReader, RingWriter, type SharedRing } from "./ring.ts";
import { inLayer, tell } from "./serve.ts";

/** What the decompressing thread is to do: all layers, in order. */
export interface DecompressJob {
  readonly type: "decompress";
  readonly input: SharedRing;
  readonly output: SharedRing;
  readonly progress: SharedArrayBuffer;
  readonly layers: readonly NumberedLayer[];
  /** Whether this thread verifies the diffIDs too; otherwise the digesting thread does. */
  readonly verifies: boolean;
  /** The rings of the threads that decode parts of large layers ahead. */
  readonly ahead: readonly AheadRings[];
  readonly sandbox: SandboxPolicy;
  readonly strict: boolean;
  readonly limits: Limits;
}

/** Decompresses the layers from one ring into the other. This thread is confined so that it can open no file at all. */
export function decompressLayers(job: DecompressJob): void {
  tell({ type: "confined", status: confineFromFiles(job.sandbox) });
  const input = new RingReader(job.input, () => tell({ type: "space" }));
  const output = new RingWriter(job.output);
  const threads = job.ahead.map(
    (rings) =>
      new RingedAheadThread(
        rings,
        once(() => tell({ type: "ahead" })),
      ),
  );
  let remainingBytes = job.limits.totalBytes;
  for (const layer of job.layers) {
    if (layer.form === "index") decompressIndex(input, output);
    else {
      remainingBytes -= inLayer(layer.number, () =>
        decompressLayer(job, layer, { totalBytes: remainingBytes, ring: input, next: output, threads }),
      );
    }
    output.end();
  }
  for (const thread of threads) thread.end();
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}

/** Decompresses the index of a layer, which this program made and whose digest was right. */
function decompressIndex(ring: RingReader, next: RingWriter): void {
  const input = new CompressedInput(ring);
  const output = new DecompressedOutput(next, {
    limits: { totalBytes: Number.POSITIVE_INFINITY, expansionRatio: Number.POSITIVE_INFINITY },
    readBytes: () => input.takenBytes,
    onBytes() {},
  });
  const { zstdWindowLog, trailingBytes } = defaultLimits;
  decompress(input, output, { expected: "gzip", strict: true, zstdWindowLog, trailingBytes, warning() {} });
}

/** Where a layer comes from and goes to, and how large it may become. */
interface Way {
  readonly totalBytes: number;
  readonly ring: RingReader;
  readonly next: RingWriter;
  readonly threads: readonly AheadThread[];
}

/**
 * Decompresses one layer, verifies its diffID if the job wants that here, and returns the number of decompressed bytes.
 */
function decompressLayer(
  job: DecompressJob,
  { number: layer, compression, diffID, compressedBytes }: NumberedLayer,
  { totalBytes, ring, next, threads }: Way,
): number {
  const progress = new Progress(job.progress);
  const isReadAhead = threads.length > 0 && compression !== "none" && isWorthReadingAhead(compressedBytes);
  const ahead = isReadAhead ? new ReadAhead(ring, threads) : undefined;
  const input = new CompressedInput(ahead ?? ring);
  const verification = job.verifies && diffID !== undefined ? new DiffIDVerification(diffID) : undefined;
  const output = new DecompressedOutput(next, {
    limits: { totalBytes, expansionRatio: job.limits.expansionRatio },
    readBytes: () => input.takenBytes,
    onBytes(bytes, writtenBytes) {
      verification?.update(bytes);
      progress.setReadBytes(layer, input.takenBytes);
      progress.setUnpackedBytes(layer, writtenBytes);
    },
  });
  decompress(input, output, {
    expected: compression,
    strict: job.strict,
    zstdWindowLog: job.limits.zstdWindowLog,
    trailingBytes: job.limits.trailingBytes,
    warning: (code, message) => tell({ type: "warning", layer, code, message }),
    ...present({ ahead }),
  });
  progress.setReadBytes(layer, input.takenBytes);
  verification?.end();
  return output.writtenBytes;
}
