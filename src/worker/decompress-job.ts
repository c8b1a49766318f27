import { CompressedInput } from "../blob/compressed-input.ts";
import { decompress } from "../blob/decompressed.ts";
import { DecompressedOutput } from "../blob/decompressed-output.ts";
import { DiffIDVerification } from "../blob/verified.ts";
import { confineThread } from "../linux/confinement.ts";
import { inLayer } from "./in-layer.ts";
import type { DecompressJob, NumberedLayer } from "./messages.ts";
import { Progress } from "./progress.ts";
import { RingReader, RingWriter } from "./ring.ts";
import { tell } from "./serve.ts";

/** Turns the compressed layers in one ring into archives in the other. May open nothing: it has no use for a file. */
export function decompressLayers(job: DecompressJob): void {
  tell({ type: "confined", status: confineThread(job.sandbox, {}) });
  const input = new RingReader(job.input, () => tell({ type: "space" }));
  const output = new RingWriter(job.output);
  let remainingBytes = job.limits.totalBytes;
  for (const layer of job.layers) {
    remainingBytes -= inLayer(layer.number, () => decompressLayer(job, layer, remainingBytes, input, output));
    output.end();
  }
}

/** Gives the number of decompressed bytes. */
function decompressLayer(
  job: DecompressJob,
  { number: layer, compression, diffID }: NumberedLayer,
  totalBytes: number,
  ring: RingReader,
  next: RingWriter,
): number {
  const progress = new Progress(job.progress);
  const input = new CompressedInput(ring);
  const verification = job.verifies ? new DiffIDVerification(diffID) : undefined;
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
  });
  progress.setReadBytes(layer, input.takenBytes);
  verification?.end();
  return output.writtenBytes;
}
