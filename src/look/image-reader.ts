import { tmpdir } from "node:os";
import { onAbort, together } from "../base/abort.ts";
import { isOciUnpackError } from "../base/errors.ts";
import { present } from "../base/present.ts";
import { LayerFetch, spoolStorageIn } from "../blob/fetch.ts";
import type { BlobOptions } from "../blob/image-source.ts";
import type { SpoolStorage } from "../blob/spool-storage.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { noteStanding } from "../operation/fetch-layers.ts";
import { IndexWriting } from "../operation/index-writing.ts";
import type { IntactIndexes } from "../operation/intact-indexes.ts";
import type { Operation } from "../operation/operation.ts";
import type { OperationResult } from "../operation/options.ts";
import { type LayerTable, LayerWanted } from "../table/layer-table.ts";
import type { ListedEntry } from "../tree/listed-entry.ts";
import type { IndexSink } from "../worker/index-receiver.ts";
import type { EngineReport, Job, NumberedLayer } from "../worker/messages.ts";
import { OutletReader, type SharedOutlet } from "../worker/outlet.ts";
import type { Pipeline } from "../worker/pipeline.ts";
import type { PipelineJob } from "../worker/pipeline-run.ts";
import type { SharedRing } from "../worker/ring.ts";
import { FileIndexes } from "./artifact-layers.ts";
import { AwaitedIndexes } from "./awaited-indexes.ts";
import type { FileData } from "./file-data.ts";
import type { LayersOnDemand } from "./layers-on-demand.ts";
import type { ExtractJob, ExtractRangeJob, LookJob, LookReport, Whereabouts } from "./look-job.ts";
import { type LookedInto, noLayer, orderFor, partOr, takeBytes } from "./looked-into.ts";
import { giveProven, type Take } from "./proven-data.ts";
import type { Question } from "./question.ts";

/** What `list` and `read` tell besides what was asked. */
export interface LookResult extends OperationResult {
  /** How many of them had to be read, the newest first. */
  readonly readLayers: number;
  /** Bytes that came from the source for it, documents and layers together. */
  readonly fetchedBytes: number;
}

/** What a reader works with. */
interface Parts {
  readonly operation: Operation;
  readonly accepted: LookedInto;
  /** What stands for each layer, newest first. */
  readonly layers: readonly NumberedLayer[];
  readonly onDemand: LayersOnDemand;
  readonly pipeline: Pipeline;
  /** Those of an image's layers, or what stands for the files of an artifact. */
  readonly indexes: IntactIndexes | FileIndexes;
  /** Tells how far layers have come, until it is disposed of. */
  readonly ticker: Disposable;
}

/** The answer to a question. */
interface Reply extends Whereabouts {
  readonly entries: readonly ListedEntry[];
}

/** A file whose data are read. */
type FoundFile = Whereabouts & Pick<ListedEntry, "layer" | "sizeBytes">;

/** Looks into one image, or artifact, and downloads no more of its layers than it needs. */
export class ImageReader {
  readonly #parts: Parts;
  /** The layers of which a part was read, because their index says what is there. */
  readonly #readInPart: number[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers a question by reading as few layers as possible. */
  async ask(question: Question): Promise<Reply> {
    const { operation, layers: newestFirst, onDemand } = this.#parts;
    const { sandbox } = operation.settings;
    const settings = this.#settings;
    // No layer of an artifact has a say about another's files, so that it does not matter which comes first.
    const order = this.#isArtifact ? "bottom-first" : orderFor(question, newestFirst);
    const isReversed = order === "bottom-first" && !this.#isArtifact;
    const layers = isReversed ? newestFirst.toReversed() : newestFirst;
    const fromTop = (index: number) => (isReversed ? layers.length - 1 - index : index);
    const entries: ListedEntry[] = [];
    let whereabouts: Whereabouts = { entryIndex: 0 };
    const missing = layers.filter(({ form }) => form === undefined);
    const options = { signal: operation.signal, onEvent: operation.events.tell };
    await using writing = await IndexWriting.begin(operation.store, missing, options);
    await this.#run(operation.signal, {
      layers,
      indexes: writing,
      open: (index, signal) => onDemand.open(fromTop(index), signal),
      prove: (index) => onDemand.prove(fromTop(index)),
      consume: (input, _contents, index): LookJob => ({
        type: "look",
        input,
        layers,
        ...present({ index }),
        order,
        question,
        sandbox,
        settings,
      }),
      onReport(report) {
        if (report.type === "layer-wanted") onDemand.wantNext();
        if (report.type === "listed") for (const entry of report.entries) entries.push(entry);
        if (report.type === "answered") whereabouts = report;
      },
    });
    await writing?.keep();
    return { entries, entryIndex: whereabouts.entryIndex, data: whereabouts.data };
  }

  /** Gives the data of a file to `take`, which may take its time, and may not keep them. */
  async extract({ layer, sizeBytes, entryIndex, data }: FoundFile, take: Take): Promise<void> {
    const { indexes } = this.#parts;
    if (indexes instanceof FileIndexes && indexes.has(layer)) return await this.#extractBlob(layer, take);
    if (data === undefined) return await this.#extractEntry(layer, entryIndex, take);
    await using room = spoolStorageIn(tmpdir());
    const table = indexes instanceof FileIndexes ? undefined : indexes.tableOf(layer);
    if (table !== undefined) return await this.#extractByTable(table, { layer, sizeBytes, data }, { take, room });
    const read = (range: FileData, takeOwn: Take) => this.#readRange(layer, range, takeOwn);
    await giveProven(data, sizeBytes, { read, take, room });
  }

  /** Gives the data of a file, of which a layer's table of contents tells. Throws `LayerWanted` if that does not do. */
  async #extractByTable(
    table: LayerTable,
    { layer, sizeBytes, data }: { readonly layer: number; readonly sizeBytes: number; readonly data: FileData },
    { take, room }: { readonly take: Take; readonly room: SpoolStorage },
  ): Promise<void> {
    if (table.isMostNeeded([data.offset])) throw new LayerWanted(layer, "more than half of it is needed");
    const { operation, accepted, pipeline } = this.#parts;
    const { signal, settings } = operation;
    const reading = { source: accepted.source, pipeline, sandbox: settings.sandbox, settings: settings.apply, signal };
    this.#readInPart.push(layer);
    const read = async ({ offset }: FileData, takeOwn: Take) => {
      try {
        await table.read([offset], (bytes) => takeOwn(Uint8Array.from(bytes)), reading);
      } catch (error) {
        signal.throwIfAborted();
        throw isOciUnpackError(error) ? new LayerWanted(layer, error.message) : error;
      }
    };
    await giveProven(data, sizeBytes, { read, take, room });
  }

  /** Gives a layer that is a file, when all of it has come and is verified. */
  async #extractBlob(layer: number, take: Take): Promise<void> {
    const { operation, accepted } = this.#parts;
    const { descriptor } = accepted.image.layers[layer] ?? noLayer(layer);
    this.#readInPart.push(layer);
    await using fetch = new LayerFetch(accepted.source, [descriptor], {
      parallelDownloads: 1,
      waiting: tmpdir(),
      numbers: [layer],
      onEvent: operation.events.tell,
      onProgress: (number, bytes) => accepted.progress.setDownloadedBytes(number, bytes),
    });
    await fetch.run(operation.signal);
    for await (const bytes of fetch.layer(0)) await take(bytes);
  }

  get #isArtifact(): boolean {
    return this.#parts.indexes instanceof FileIndexes;
  }

  /** How entries are read. */
  get #settings(): RootfsSettings {
    return { ...this.#parts.operation.settings.apply, hasWhiteouts: !this.#isArtifact };
  }

  /** Gives the data of the file at an index of a layer's entries. The layer was read before. */
  async #extractEntry(layer: number, entryIndex: number, take: Take): Promise<void> {
    const { operation, onDemand } = this.#parts;
    const { sandbox, apply: settings } = operation.settings;
    await this.#receive(layer, take, {
      open: () => onDemand.reopen(layer),
      job: (input, outlet): ExtractJob => ({ type: "extract", input, layer, entryIndex, outlet, sandbox, settings }),
    });
  }

  /** Gives a part of a layer's decompressed archive, not verified. Nothing behind it is read. */
  async #readRange(layer: number, { offset, length }: FileData, take: Take): Promise<void> {
    if (length === 0) return;
    const { operation, accepted } = this.#parts;
    const { sandbox } = operation.settings;
    const { descriptor, diffID } = accepted.image.layers[layer] ?? noLayer(layer);
    const open = (range: BlobOptions) =>
      accepted.source.blob(descriptor, { signal: operation.signal, onEvent: operation.events.tell, ...range });
    this.#readInPart.push(layer);
    // The blob is the archive: it is not compressed.
    if (descriptor.digest === diffID) return await takeBytes(partOr(open, { offset, length }), length, take);
    const range = { offset, length };
    await this.#receive(layer, (bytes) => take(Uint8Array.from(bytes)), {
      open: (_index, signal) => open({ length: descriptor.sizeBytes, signal }),
      job: (input, outlet): ExtractRangeJob => ({ type: "extract-range", input, layer, range, outlet, sandbox }),
    });
  }

  /** Brings a layer through the threads, and gives the bytes that come out to `take`. */
  async #receive(layer: number, take: Take, { open, job }: Receiving): Promise<void> {
    const { operation, accepted } = this.#parts;
    const outletReader = new OutletReader();
    const running: Running = {
      layers: accepted.layers.filter(({ number }) => number === layer),
      open,
      prove: async () => {}, // whoever gets the bytes knows that they are right, or verifies them
      consume: (input) => job(input, outletReader.outlet),
      onReport: outletReader.report,
    };
    await together(operation.signal, [
      async (stop) => {
        const listenNoMore = onAbort(stop, () => outletReader.cancel());
        try {
          await this.#run(stop, running);
        } finally {
          listenNoMore();
          outletReader.end(); // also after a failure: whoever takes the bytes would wait for more
        }
      },
      (stop) => outletReader.run(take, stop),
    ]);
  }

  /** Says that nothing more will be asked, and what came of it all. */
  finish(): LookResult {
    const { operation, accepted, onDemand, layers, indexes, ticker } = this.#parts;
    ticker[Symbol.dispose](); // nothing is told after the end
    operation.proofs.note(onDemand.read, "layer");
    if (!(indexes instanceof FileIndexes)) noteStanding(operation, layers, indexes);
    return {
      ...operation.finish(accepted.image),
      readLayers: onDemand.read.length + new Set(this.#readInPart).size,
      fetchedBytes: accepted.source.bytes,
    };
  }

  get signal(): AbortSignal {
    return this.#parts.operation.signal;
  }

  /**
   * Runs the threads until the second one has said all, and the indexes of what it read are written: the first would go
   * on, and wait for more.
   */
  async #run(signal: AbortSignal, running: Running): Promise<void> {
    const { operation, accepted, onDemand, pipeline } = this.#parts;
    const { settings, events } = operation;
    const enough = new AbortController();
    let isAnswered = false;
    const endIfDone = () => {
      if (isAnswered && indexes?.hasAll(onDemand.read) !== false) enough.abort(enough);
    };
    const indexes = running.indexes && new AwaitedIndexes(running.indexes, endIfDone);
    const job = {
      ...running,
      indexes,
      consumerIndexes: true,
      progress: accepted.progress,
      hasDigestThread: false,
      sandbox: settings.sandbox,
      settings: settings.apply,
      onReport(report: EngineReport | LookReport) {
        if (!isOfLook(report)) events.report(report);
        running.onReport(report);
        isAnswered ||= report.type === "answered";
        endIfDone();
      },
    };
    try {
      await pipeline.run(job, AbortSignal.any([signal, enough.signal]));
    } catch (error) {
      if (error !== enough) throw error;
    }
  }
}

/** How bytes come to be received. */
interface Receiving {
  readonly open: Running["open"];
  readonly job: (input: SharedRing, outlet: SharedOutlet) => Job;
}

/** What goes through the threads, and what they are to do with it. */
interface Running {
  readonly indexes?: IndexSink | undefined;
  readonly layers: readonly NumberedLayer[];
  readonly open: (index: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly prove: (index: number) => Promise<void>;
  readonly consume: PipelineJob["consume"];
  readonly onReport: (report: EngineReport | LookReport) => void;
}

function isOfLook(report: EngineReport | LookReport): report is LookReport {
  return report.type === "layer-wanted" || report.type === "listed" || report.type === "answered";
}
