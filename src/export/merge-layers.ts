import { write } from "node:fs";
import { promisify } from "node:util";
import { isOciUnpackError, OciUnpackError } from "../base/errors.ts";
import { fileSystemError } from "../base/system-error.ts";
import type { CountedImage } from "../operation/counted-image.ts";
import type { EventLog } from "../operation/event-log.ts";
import {
  fetchLayers,
  fetchStanding,
  type LayerFetching,
  type LayerTotals,
  standingIndexes,
} from "../operation/fetch-layers.ts";
import type { IntactIndexes } from "../operation/intact-indexes.ts";
import type { AcceptedImage, Operation } from "../operation/operation.ts";
import { LayerWanted } from "../table/layer-table.ts";
import { readWhole } from "../table/layer-tables.ts";
import { isWhole } from "../tree/selection.ts";
import type { EngineReport, NumberedLayer } from "../worker/messages.ts";
import type { SharedRing } from "../worker/ring.ts";
import type { ArchiveReport, ContentsJob, ContentsReport, MergeJob, MergeReport } from "./merge-job.ts";

/** What merging needs besides the layers. */
interface Merging extends LayerFetching<MergeReport> {
  /** A file for the data of files. */
  readonly contents: number;
  /** The part of the tree about which `merged` is to report facts. */
  readonly factsOn?: MergeJob["factsOn"];
}

/**
 * Fetches the layers and merges them in memory, on the pipeline's second thread. Where only a part of the tree is wanted,
 * a layer whose index a store has is read if it has data of that part, and is not asked for otherwise; of a layer for
 * which its table of contents stands, only those data are read.
 */
export async function mergeLayers(
  operation: Operation,
  accepted: AcceptedImage,
  merging: Merging,
): Promise<LayerTotals> {
  // Of all of it the data are needed, which an index has not.
  if (isWhole(operation.settings.selection)) return await new Merge(operation, accepted, merging).whole();
  const { indexes, source } = await standingIndexes(operation, accepted, merging.pipeline);
  for (let downloadedBytes = 0; ; ) {
    const merge = new Merge(operation, accepted, merging);
    try {
      const totals = await merge.part(indexes, source);
      merge.tellHeld();
      return { ...totals, downloadedBytes: totals.downloadedBytes + downloadedBytes + source.bytes };
    } catch (error) {
      operation.signal.throwIfAborted();
      if (!(error instanceof LayerWanted)) throw error;
      downloadedBytes += merge.downloadedBytes;
      indexes.tables?.giveUp(error.layer);
      readWhole(error.layer, error.message, { onEvent: operation.events.tell });
    }
  }
}

type Told = EngineReport | MergeReport | ContentsReport;

/** One attempt to merge the layers. */
class Merge {
  /** What came of layers that were read whole. */
  downloadedBytes = 0;
  readonly #operation: Operation;
  readonly #accepted: AcceptedImage;
  readonly #merging: Merging;
  #wanted: Omit<ContentsReport, "type"> = { layers: [], tabled: [] };
  /** What was reported while it was not known whether this attempt is the last. */
  readonly #held: (EngineReport | MergeReport)[] = [];

  constructor(operation: Operation, accepted: AcceptedImage, merging: Merging) {
    this.#operation = operation;
    this.#accepted = accepted;
    this.#merging = merging;
  }

  /** Merges all layers with all their data. */
  whole(): Promise<LayerTotals> {
    const fetching = { ...this.#merging, onReport: (told: Told) => this.#take(told, false) };
    return fetchLayers(this.#operation, this.#accepted, fetching, (input) =>
      this.#job(input, this.#accepted.layers, []),
    );
  }

  /** Merges what stands for layers, and reads the data that are wanted. Throws `LayerWanted` where a table does not do. */
  async part(indexes: IntactIndexes, source: CountedImage): Promise<LayerTotals> {
    const layers = this.#accepted.layers.map(({ number }) => number);
    const tabled = layers.filter((layer) => indexes.tableOf(layer) !== undefined);
    const fetching = { ...this.#merging, indexes, onReport: (told: Told) => this.#take(told, tabled.length > 0) };
    const merged = await fetchStanding(this.#operation, this.#accepted, fetching, ({ input, layers: standing }) =>
      this.#job(input, standing, tabled),
    );
    this.downloadedBytes += merged.downloadedBytes;
    await this.#readByTables(indexes, source);
    await this.#readArchives();
    return { ...merged, downloadedBytes: this.downloadedBytes };
  }

  /** Passes on what was reported, now that nothing of it will come again. */
  tellHeld(): void {
    for (const report of this.#held) this.#pass(report);
  }

  #job(input: SharedRing, layers: readonly NumberedLayer[], tabled: readonly number[]): MergeJob {
    const { sandbox, apply: settings, selection: wanted } = this.#operation.settings;
    const { contents, directory, factsOn } = this.#merging;
    const progress = this.#accepted.progress.shared;
    const facts = factsOn === undefined ? {} : { factsOn };
    return { type: "merge", input, progress, layers, contents, directory, wanted, tabled, ...facts, sandbox, settings };
  }

  #take(told: Told, isHeld: boolean): void {
    if (told.type === "contents-wanted") this.#wanted = told;
    else if (isHeld) this.#held.push(told);
    else this.#pass(told);
  }

  #pass(told: EngineReport | MergeReport): void {
    const { onReport } = this.#merging;
    if (onReport !== undefined) onReport(told);
    else if (told.type !== "merged") this.#operation.events.report(told);
  }

  async #readByTables(indexes: IntactIndexes, source: CountedImage): Promise<void> {
    const { signal, settings } = this.#operation;
    const { pipeline, contents, directory } = this.#merging;
    const reading = { source, pipeline, sandbox: settings.sandbox, settings: settings.apply, signal };
    const wanted = this.#wanted.tabled.map(({ layer, start, dataOffsets }) => {
      const table = indexes.tableOf(layer);
      if (table === undefined) throw new TypeError(`layer ${layer} has no table of contents`);
      return { layer, start, table, dataOffsets: [...dataOffsets] };
    });
    for (const { layer, table, dataOffsets } of wanted)
      if (table.isMostNeeded(dataOffsets)) throw new LayerWanted(layer, "more than half of it is needed");
    for (const { layer, start, table, dataOffsets } of wanted) {
      let position = start;
      const take = async (bytes: Uint8Array) => {
        await writeAt({ descriptor: contents, directory }, bytes, position);
        position += bytes.length;
      };
      await readOrGiveUp(layer, table.read(dataOffsets, take, reading), signal);
    }
  }

  /** Reads the layers of which an index in the store stood for the archive. */
  async #readArchives(): Promise<void> {
    const { layers: wanted } = this.#wanted;
    if (wanted.length === 0) return;
    const layers = this.#accepted.layers.filter(({ number }) => wanted.includes(number));
    const consume = (input: SharedRing): ContentsJob => ({ type: "contents", input, layers });
    const { downloadedBytes } = await fetchLayers(
      this.#operation,
      { ...this.#accepted, layers },
      this.#merging,
      consume,
    );
    this.downloadedBytes += downloadedBytes;
  }
}

async function readOrGiveUp(layer: number, reading: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await reading;
  } catch (error) {
    signal.throwIfAborted();
    if (!isOciUnpackError(error) || error.code === "FILE_SYSTEM" || error.code === "NO_SPACE") throw error;
    throw new LayerWanted(layer, error.message);
  }
}

const writing = promisify(write);

interface TemporaryFile {
  readonly descriptor: number;
  readonly directory: string;
}

async function writeAt({ descriptor, directory }: TemporaryFile, bytes: Uint8Array, start: number): Promise<void> {
  try {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await writing(descriptor, bytes, at, bytes.length - at, start + at);
      at += bytesWritten;
    }
  } catch (error) {
    throw fileSystemError(error, `write a temporary file in "${directory}"`);
  }
}

/** Collects what the thread that writes the selected part of an image reports about the selection. */
export class SelectedEntries {
  /** How many entries of the merged tree are kept. */
  count = 0;
  #unmatched: readonly string[] = [];
  readonly #events: EventLog;

  constructor(events: EventLog) {
    this.#events = events;
  }

  readonly report = (report: EngineReport | ArchiveReport): void => {
    if (report.type !== "selected") return this.#events.report(report);
    this.count = report.entries;
    this.#unmatched = report.unmatched;
  };

  /** Reports the patterns that matched nothing: a warning for each or, with `strict`, an error. */
  tellUnmatched(strict: boolean): void {
    for (const pattern of this.#unmatched) {
      const message = `the pattern "${pattern}" matches nothing in the image`;
      if (strict) {
        throw new OciUnpackError("STRICT_VIOLATION", `cannot select a part strictly: ${message}`, {
          hint: "`list` tells what there is; patterns are paths from the root",
        });
      }
      this.#events.find({ type: "warning", code: "PATTERN_UNMATCHED", message });
    }
  }
}
