import { limitExceeded } from "../base/errors.ts";
import type { SkipReason, WarningCode } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { IndexedArchive } from "../toc/indexed-archive.ts";
import { TocDecoder } from "../toc/toc-decoder.ts";
import { type ComingLayer, layerDecoder } from "./layer-indexing.ts";
import type { EngineReport } from "./messages.ts";
import { Progress } from "./progress.ts";
import { inLayer, tell } from "./serve.ts";

/** Takes the entries of one layer, in their order. */
export interface EntrySink {
  apply(entry: Entry, body: ByteSource): void;
  end(): void;
}

export interface LayerOfEntries extends ComingLayer {
  readonly job: { readonly progress: SharedArrayBuffer; readonly settings: RootfsSettings };
  readonly reporter: Reporter;
  /** Whether nobody has counted the bytes of the archive before. Default: no. */
  readonly counts?: boolean;
  /** Whoever knows of errors in earlier entries, which come first. Default: nobody does. */
  readonly handed?: { inOrder(work: () => void): void };
  /** Called when the layer begins, after `reporter` has its number. */
  readonly begin: () => EntrySink;
}

/**
 * Decodes the next archive or index of the input and gives its entries to the sink, one after the other. Where an index
 * is read or made, the body of each entry is a `KnownBody`, which knows the digest of the data and has none of them.
 */
export function applyEntries({ job, reporter, handed, begin, counts = false, ...coming }: LayerOfEntries): void {
  const { layer, indexing } = coming;
  tell({ type: "layer-started", layer });
  reporter.layer = layer;
  const { limits, strict } = job.settings;
  const progress = new Progress(job.progress);
  const options = { limits, strict, warning: reporter.warning };
  const input = counts ? counted(coming.input, { layer, progress, limits }) : coming.input;
  const decoder = layerDecoder({ ...coming, input }, options);
  let entries = 0;
  const applyAll = () => {
    const sink = begin();
    for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) {
      sink.apply(entry, decoder);
      entries += 1;
      progress.setEntries(layer, entries);
    }
    sink.end();
    if (decoder instanceof TocDecoder) countArchive(decoder.archiveBytes, { layer, progress, limits });
    if (decoder instanceof IndexedArchive) indexing?.end(layer, decoder.end());
  };
  inLayer(layer, handed === undefined ? applyAll : () => handed.inOrder(applyAll));
  tell({ type: "layer-finished", layer, entries });
}

/** Where the bytes of a layer are counted. */
interface Counting {
  readonly layer: number;
  readonly progress: Progress;
  readonly limits: Limits;
}

/** Counts the bytes of an archive that was not decompressed, as if it had been. */
function countArchive(archiveBytes: number, { layer, progress, limits: { totalBytes } }: Counting): void {
  progress.setUnpackedBytes(layer, archiveBytes);
  if (progress.totals().unpackedBytes <= totalBytes) return;
  const message = `cannot go on: the layers have more than the ${totalBytes} bytes that are allowed (totalBytes)`;
  throw limitExceeded(message, "totalBytes", { allowed: totalBytes });
}

/** Counts the bytes of an archive as they come. */
function counted(archive: ByteSource, counting: Counting): ByteSource {
  let bytes = 0;
  return {
    read() {
      const chunk = archive.read();
      bytes += chunk?.length ?? 0;
      counting.progress.setReadBytes(counting.layer, bytes);
      countArchive(bytes, counting);
      return chunk;
    },
  };
}

/** How many skipped entries and warnings are reported one by one. A hostile image could have millions. */
const toldAtMost = 10_000;

/** Reports what was skipped and repaired: one by one up to a number, and the rest as counts. */
export class Reporter {
  /** The layer that is being applied, from 0. */
  layer = 0;
  readonly #tell: (report: EngineReport) => void;
  readonly #before: () => void;
  #told = 0;
  #untoldSkipped = 0;
  readonly #untoldWarnings = new Map<WarningCode, number>();

  /** `before` is called before anything is told. */
  constructor(tell: (report: EngineReport) => void, before: () => void = () => {}) {
    this.#tell = tell;
    this.#before = before;
  }

  readonly skipped = (path: ByteString, reason: SkipReason, detail: string): void => {
    this.#before();
    if (this.#told >= toldAtMost) this.#untoldSkipped += 1;
    else this.#send({ type: "skipped", layer: this.layer, path: pathText(path), reason, detail: shortened(detail) });
  };

  readonly warning = (code: WarningCode, message: string, path?: ByteString): void => {
    this.#before();
    if (this.#told >= toldAtMost) this.#untoldWarnings.set(code, (this.#untoldWarnings.get(code) ?? 0) + 1);
    else
      this.#send({
        type: "warning",
        layer: this.layer,
        code,
        message: shortened(message),
        ...(path !== undefined && { path: pathText(path) }),
      });
  };

  /** Reports how much was not reported one by one. */
  close(): void {
    if (this.#untoldSkipped + this.#untoldWarnings.size === 0) return;
    this.#tell({ type: "untold", skipped: this.#untoldSkipped, warnings: Object.fromEntries(this.#untoldWarnings) });
  }

  #send(report: EngineReport): void {
    this.#told += 1;
    this.#tell(report);
  }
}

/**
 * The longest path that Linux takes (PATH_MAX). An image may have thousands of longer ones, which are cut in reports.
 */
const longestPath = 4096;

/** A path as text. Of one that is too long for Linux, the beginning. */
function pathText(path: ByteString): string {
  return path.length <= longestPath ? textOf(path) : `${textOf(path.slice(0, longestPath) as ByteString)}…`;
}

/** A sentence that may quote names. Of one that is too long, the beginning. */
function shortened(text: string): string {
  return text.length <= longestPath ? text : `${text.slice(0, longestPath)}…`;
}
