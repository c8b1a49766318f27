import { together } from "../base/abort.ts";
import { present } from "../base/present.ts";
import { LayerFetch } from "../blob/fetch.ts";
import { BlobDigests } from "../worker/blob-digests.ts";
import type { LayersToMerge } from "../worker/layer-indexing.ts";
import type { EngineReport, Job, Message, NumberedLayer } from "../worker/messages.ts";
import type { Pipeline } from "../worker/pipeline.ts";
import type { PipelineJob } from "../worker/pipeline-run.ts";
import { CountedImage } from "./counted-image.ts";
import { ProgressTicker } from "./event-log.ts";
import { findTables } from "./find-tables.ts";
import { furtherThreads } from "./further-threads.ts";
import { IndexWriting } from "./index-writing.ts";
import { IntactIndexes } from "./intact-indexes.ts";
import type { AcceptedImage, Operation } from "./operation.ts";
import type { UnpackResult } from "./options.ts";

/** Where an image's layers go. */
export interface LayerFetching<Own extends Message = never> {
  readonly pipeline: Pipeline;
  /** Where temporary files may be made. */
  readonly directory: string;
  /** What becomes of the threads' reports. Default: events, and numbers in the result. */
  readonly onReport?: (report: EngineReport | Own) => void;
  /** What is read of layers whose form is "index". */
  readonly indexes?: IntactIndexes;
  /** Where several threads may make files, if that is for several. Default: nowhere. */
  readonly staging?: string;
  /** Whether all archives are made of blobs, by `asArchive`, so that nothing is to be decompressed. Default: no. */
  readonly passesOn?: boolean;
  /** Makes an archive of a blob that is none. Default: the blob of each layer is one. */
  readonly asArchive?: (layer: number, blob: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  /** Whether the consuming thread makes indexes, and needs no data of files. Default: another one makes them. */
  readonly consumerIndexes?: boolean;
}

/** What is fetched: the layers of an image, or of an artifact. */
export interface FetchedLayers extends Omit<AcceptedImage, "image"> {
  readonly image: { readonly layers: readonly unknown[] };
}

/** Events and reports that tell how far a layer is. */
const progressTypes: readonly string[] = ["downloaded", "layer-started", "layer-finished"];

/** What came in and what became of it. */
export type LayerTotals = Pick<UnpackResult, "entries" | "unpackedBytes" | "downloadedBytes">;

/**
 * Blobs come in, and the second thread does with the archives what its job says; both at once, until all is verified.
 * Where an index stands for a layer, its blob is not asked for.
 */
export async function fetchLayers<Own extends Message = never>(
  { settings, events, store, proofs }: Operation,
  { image, source, layers, blobs, progress }: FetchedLayers,
  {
    pipeline,
    directory,
    onReport,
    indexes,
    staging,
    passesOn = false,
    asArchive = (_, blob) => blob,
    consumerIndexes = false,
  }: LayerFetching<Own>,
  consume: PipelineJob["consume"],
): Promise<LayerTotals> {
  const archives = layers.filter(({ form }) => form !== "index");
  const descriptors = archives.flatMap(({ number }) => blobs[number] ?? []);
  // What comes on top of the image is no download, and no layer that anybody was told of.
  const isOfImage = (told: Message & { readonly layer?: number }) =>
    !progressTypes.includes(told.type) || (told.layer ?? 0) < image.layers.length;
  const report = (onReport ?? events.report) as (told: EngineReport | Own) => void;
  const { contentThreads, hasBlobDigestThread, ...threads } = furtherThreads(settings, archives);
  const blobDigests = hasBlobDigestThread && !passesOn ? new BlobDigests() : undefined;
  await using fetch = new LayerFetch(source, descriptors, {
    parallelDownloads: settings.apply.limits.parallelDownloads,
    waiting: directory,
    numbers: archives.map(({ number }) => number),
    ...(blobDigests && { digestedBehind: (layer, blob) => blobDigests.of(layer, blob) }),
    onEvent: (event) => isOfImage(event) && events.tell(event),
    onProgress: (layer, bytes) => layer < image.layers.length && progress.setDownloadedBytes(layer, bytes),
  });
  const ofImage = archives.filter(({ number }) => number < image.layers.length);
  await using written = await IndexWriting.begin(store, ofImage, { signal: events.signal, onEvent: events.tell });
  using _ticker = new ProgressTicker(blobs.slice(0, image.layers.length), progress, events.tell);
  const before = progress.totals().downloadedBytes;
  const archiveAt = (index: number) => layers.slice(0, index).filter(({ form }) => form !== "index").length;
  const job = {
    layers,
    open(index: number, signal: AbortSignal) {
      const layer = layers[index];
      if (layer?.form !== "index") return asArchive(layer?.number ?? index, fetch.layer(archiveAt(index), signal));
      if (indexes === undefined) throw new TypeError("there are no indexes");
      return indexes.read(layer.number, signal);
    },
    prove: (index: number) => fetch.proven(archiveAt(index)),
    progress,
    passesOn,
    ...threads,
    blobDigests,
    contents: staging === undefined ? undefined : { threads: contentThreads, staging },
    indexes: written,
    consumerIndexes,
    consume,
    sandbox: settings.sandbox,
    settings: settings.apply,
    onReport: (told: EngineReport | Own) => isOfImage(told) && report(told),
  };
  await together(events.signal, [(signal) => fetch.run(signal), (signal) => pipeline.run(job, signal)]);
  await written?.keep();
  proofs.note(
    ofImage.map(({ number }) => number),
    "layer",
  );
  const { downloadedBytes, ...applied } = progress.totals();
  return { ...applied, downloadedBytes: downloadedBytes - before - fetch.storedBytes };
}

/**
 * As `fetchLayers`, for whoever needs no data of files: the index of a layer stands for it where the store has that, and
 * the thread makes those that the store has not. `consume` is told what stands for each layer.
 */
export async function fetchByIndexes<Own extends Message = never>(
  operation: Operation,
  accepted: AcceptedImage,
  fetching: Omit<LayerFetching<Own>, "indexes" | "consumerIndexes">,
  consume: (merged: LayersToMerge) => Job,
): Promise<LayerTotals> {
  const { indexes, source } = await standingIndexes(operation, accepted, fetching.pipeline);
  const totals = await fetchStanding(operation, accepted, { ...fetching, indexes, consumerIndexes: true }, consume);
  return { ...totals, downloadedBytes: totals.downloadedBytes + source.bytes };
}

/** Finds what stands for layers. Tables of contents, and what is read by them, come through `source`, which counts. */
export async function standingIndexes(
  operation: Operation,
  accepted: AcceptedImage,
  pipeline: Pipeline,
): Promise<{ readonly indexes: IntactIndexes; readonly source: CountedImage }> {
  const { store, signal, events } = operation;
  const indexes = await IntactIndexes.find(store, accepted.layers, { signal, onEvent: events.tell });
  const source = new CountedImage(accepted.source);
  indexes.tables = await findTables(operation, accepted, { source, pipeline, indexes });
  return { indexes, source };
}

/** As `fetchByIndexes`, with what stands for layers. */
export async function fetchStanding<Own extends Message = never>(
  operation: Operation,
  accepted: AcceptedImage,
  fetching: LayerFetching<Own> & { readonly indexes: IntactIndexes },
  consume: (merged: LayersToMerge) => Job,
): Promise<LayerTotals> {
  const { indexes } = fetching;
  const layers = indexes.standingFor(accepted.layers);
  const totals = await fetchLayers(operation, { ...accepted, layers }, fetching, (input, _contents, index) =>
    consume({ input, layers, ...present({ index }) }),
  );
  noteStanding(operation, layers, indexes);
  return totals;
}

/** Takes down of the layers for which something else stood by what that was verified. */
export function noteStanding({ proofs }: Operation, layers: readonly NumberedLayer[], indexes: IntactIndexes): void {
  for (const { number, form } of layers)
    if (form === "index") proofs.note([number], indexes.tableOf(number) === undefined ? "layer" : "table");
}
