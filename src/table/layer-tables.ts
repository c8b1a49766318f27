import { createHash } from "node:crypto";
import { together } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import type { EventListener } from "../base/events.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, encodedOf } from "../oci/digest.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Progress } from "../worker/progress.ts";
import type { ExpectedTable, ReadTable } from "./check-table.ts";
import { LayerTable, partOfBlob, type TableReading } from "./layer-table.ts";
import { stargzFooterBytes, stargzTableOffset } from "./stargz-footer.ts";
import type { ReadTableJob, TableReport } from "./table-job.ts";
import { type TablePlace, tablePlace } from "./table-place.ts";
import { TableRefused } from "./table-refused.ts";

/** A layer whose table of contents may be read in its stead. */
export interface TabledLayer {
  readonly number: number;
  readonly descriptor: Descriptor;
}

/** A table is read where it costs no more than this part of the layer. */
const mostPart = 1 / 10;

/** The headers of an archive, as tar-split has them, take many times as much as the table says of them, before compression. */
const tarSplitTimes = 16;

export interface TableSearch extends TableReading {
  readonly onEvent: EventListener;
}

/** The tables of contents of an image's layers, as far as they are worth reading and break no rule. */
export class LayerTables {
  readonly #tables: ReadonlyMap<number, LayerTable>;
  readonly #unusable = new Set<number>();

  private constructor(tables: ReadonlyMap<number, LayerTable>) {
    this.#tables = tables;
  }

  /** Reads and checks the tables of layers. One that breaks a rule becomes a warning. */
  static async find(layers: readonly TabledLayer[], search: TableSearch): Promise<LayerTables> {
    const tables = new Map<number, LayerTable>();
    const { parallelDownloads } = search.settings.limits;
    const waiting = [...layers];
    let reading: Promise<void> = Promise.resolve();
    const lane = async (signal: AbortSignal) => {
      for (let layer = waiting.shift(); layer !== undefined; layer = waiting.shift()) {
        const found = await fetched(layer, { ...search, signal });
        if (found === undefined) continue;
        const next = layer;
        // The threads check one after the other.
        reading = reading.then(async () => {
          const table = await checked(next, found, { ...search, signal });
          if (table !== undefined) tables.set(next.number, table);
        });
        await reading;
      }
    };
    const lanes = Array.from({ length: Math.min(parallelDownloads, layers.length) }, () => lane);
    await together(search.signal, lanes);
    return new LayerTables(tables);
  }

  /** The table of a layer that stands for it. */
  get(layer: number): LayerTable | undefined {
    return this.#unusable.has(layer) ? undefined : this.#tables.get(layer);
  }

  /** Says that a layer has to be read whole. */
  giveUp(layer: number): void {
    this.#unusable.add(layer);
  }
}

/** What came of a table before it is checked. */
interface FetchedTable extends ExpectedTable {
  readonly parts: readonly Uint8Array[];
}

async function fetched(layer: TabledLayer, search: TableSearch): Promise<FetchedTable | undefined> {
  const { descriptor, number } = layer;
  try {
    const place = tablePlace(descriptor);
    if (place === undefined) {
      readWhole(number, "it has no table of contents", search);
      return undefined;
    }
    return place.kind === "eStargz"
      ? await fetchedStargz(layer, place.digest, search)
      : await fetchedChunked(layer, place, search);
  } catch (error) {
    search.signal.throwIfAborted();
    if (error instanceof TableRefused) refused(number, error.message, search);
    else if (error instanceof OciUnpackError) readWhole(number, error.message, search);
    else throw error;
    return undefined;
  }
}

async function fetchedChunked(
  { descriptor, number }: TabledLayer,
  { digest, table, tarSplit }: Extract<TablePlace, { readonly kind: "zstd:chunked" }>,
  search: TableSearch,
): Promise<FetchedTable | undefined> {
  const { tableBytes } = search.settings.limits;
  for (const bytes of [table.length, table.uncompressedBytes, tarSplit.length])
    if (bytes > tableBytes) throw tooLarge(bytes, tableBytes);
  const offset = Math.min(table.offset, tarSplit.offset);
  const end = Math.max(table.offset + table.length, tarSplit.offset + tarSplit.length);
  if (end - offset > 2 * tableBytes) throw new TableRefused("its two parts lie far from each other");
  if (costsTooMuch(descriptor, end - offset, number, search)) return undefined;
  const bytes = await partOfBlob(search.source, descriptor, { offset, length: end - offset }, search.signal);
  const [own, split] = [table, tarSplit].map((part) =>
    bytes.subarray(part.offset - offset, part.offset - offset + part.length),
  );
  if (own === undefined || split === undefined) throw new TypeError("a table has two parts");
  const actual = sha256(own);
  if (actual !== encodedOf(digest))
    throw new TableRefused(`it digests to sha256:${actual}, and the manifest says otherwise`);
  return {
    kind: "zstd:chunked",
    parts: [own, split],
    digest: undefined,
    tarSplitDigest: sha256(split),
    dataEnd: offset,
    tableEnd: offset,
  };
}

async function fetchedStargz(
  { descriptor, number }: TabledLayer,
  digest: Digest,
  search: TableSearch,
): Promise<FetchedTable | undefined> {
  const { source, signal, settings } = search;
  const { tableBytes } = settings.limits;
  const tableEnd = descriptor.sizeBytes - stargzFooterBytes;
  if (tableEnd <= 0) throw new TableRefused("the layer does not end as an eStargz layer does");
  if (costsTooMuch(descriptor, stargzFooterBytes, number, search)) return undefined;
  const footer = await partOfBlob(source, descriptor, { offset: tableEnd, length: stargzFooterBytes }, signal);
  const offset = stargzTableOffset(footer);
  const length = tableEnd - offset;
  if (length <= 0)
    throw new TableRefused(`it is said to be at byte ${offset}, and the layer has ${descriptor.sizeBytes}`);
  if (length > tableBytes) throw tooLarge(length, tableBytes);
  if (costsTooMuch(descriptor, length, number, search)) return undefined;
  const table = await partOfBlob(source, descriptor, { offset, length }, signal);
  return {
    kind: "eStargz",
    parts: [table],
    digest: encodedOf(digest),
    tarSplitDigest: undefined,
    dataEnd: offset,
    tableEnd,
  };
}

/** Has a confined thread check a table, and make the layer's index of it. */
async function checked(
  { descriptor, number }: TabledLayer,
  { parts, ...expected }: FetchedTable,
  { pipeline, sandbox, settings, signal, ...search }: TableSearch,
): Promise<LayerTable | undefined> {
  const { limits } = settings;
  const { kind } = expected;
  const compression = kind === "eStargz" ? "gzip" : "zstd";
  const part: NumberedLayer = { number, compression, compressedBytes: 0, diffID: undefined }; // no layer, so that it has none
  let table: ReadTable | undefined;
  let refusal: string | undefined;
  try {
    await pipeline.run<TableReport>(
      {
        layers: parts.map(() => part),
        open: (index) => once(parts[index]),
        prove: async () => {},
        progress: Progress.forLayers(number + 1),
        hasDigestThread: false,
        consume: (input): ReadTableJob => ({ type: "read-table", input, ...expected, sandbox, settings }),
        sandbox,
        settings: {
          ...settings,
          strict: false,
          limits: { ...limits, totalBytes: (1 + tarSplitTimes) * limits.tableBytes },
        },
        onReport(report) {
          if (report.type === "table-read") table = report;
          if (report.type === "table-refused") refusal = report.found;
        },
      },
      signal,
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof OciUnpackError)) throw error;
    refused(number, refusal ?? error.message, search);
    return undefined;
  }
  return table && new LayerTable(descriptor, kind, table);
}

async function* once(bytes: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  if (bytes !== undefined) yield bytes;
}

function costsTooMuch({ sizeBytes }: Descriptor, bytes: number, layer: number, search: TableSearch): boolean {
  if (bytes <= sizeBytes * mostPart) return false;
  readWhole(layer, `its table of contents has ${bytes} bytes, the layer ${sizeBytes}`, search);
  return true;
}

function tooLarge(bytes: number, allowed: number): TableRefused {
  return new TableRefused(`it has ${bytes} bytes, ${allowed} are allowed (tableBytes)`);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Tells why a layer is read whole, where that is nobody's fault. */
export function readWhole(layer: number, why: string, { onEvent }: Pick<TableSearch, "onEvent">): void {
  onEvent({ type: "decision", topic: "range", message: `layer ${layer + 1} is read whole: ${why}` });
}

function refused(layer: number, found: string, { onEvent }: Pick<TableSearch, "onEvent">): void {
  const message = `the table of contents of layer ${layer + 1} is not used: ${found}`;
  onEvent({ type: "warning", code: "TABLE_REFUSED", layer, message });
}
