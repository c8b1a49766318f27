import { tmpdir } from "node:os";
import type { Kinds } from "../base/option-checks.ts";
import { type Artifact, resolvedArtifact } from "../image/artifact.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import { resolveAny } from "../image/resolve.ts";
import { CountedImage } from "../operation/counted-image.ts";
import { ProgressTicker } from "../operation/event-log.ts";
import { findTables } from "../operation/find-tables.ts";
import { resolvedEvent } from "../operation/image-layers.ts";
import { IntactIndexes } from "../operation/intact-indexes.ts";
import { Operation } from "../operation/operation.ts";
import { applyKinds, partialKinds, type UnpackOptions } from "../operation/options.ts";
import { LayerWanted } from "../table/layer-table.ts";
import { type LayerTables, readWhole } from "../table/layer-tables.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { FileIndexes, indexedFiles, isOnTheWay, lookedInto } from "./artifact-layers.ts";
import { ImageReader } from "./image-reader.ts";
import { type DemandedLayer, LayersOnDemand } from "./layers-on-demand.ts";
import { type LookedInto, noLayer } from "./looked-into.ts";
import { IndexContradicted } from "./proven-data.ts";

export interface LookOptions
  extends ResolveOptions,
    Pick<UnpackOptions, "sandbox" | "keepDirlinks" | "sourceDateEpoch" | "partial"> {}

export const lookKinds: Kinds<LookOptions> = {
  ...resolveKinds,
  ...partialKinds,
  keepDirlinks: applyKinds.keepDirlinks,
  sourceDateEpoch: applyKinds.sourceDateEpoch,
};

/** What is looked for. */
interface Looking {
  /** Whether the content of a file will be wanted. */
  readonly readsFile: boolean;
  /** Where it is looked for. */
  readonly path: ByteString;
}

/**
 * Opens an image, or an artifact, for `work` to look into. All that is opened for it, connections included, is closed when `work` has
 * ended.
 */
export async function withImageReader<Options extends LookOptions, Result>(
  name: string,
  options: Options,
  kinds: Kinds<Options>,
  looking: Looking,
  work: (reader: ImageReader) => Promise<Result>,
): Promise<Result> {
  await using operation = Operation.begin(name, options, kinds);
  const { events, settings } = operation;
  const source = new CountedImage(await operation.source());
  await using pipeline = new Pipeline(settings.apply.limits, "tree-worker"); // while the network is asked, the threads start
  const found = await resolveAny(source, operation.resolveOptions);
  if (found.kind === "artifact")
    return await lookIntoArtifact({ operation, source, pipeline }, found.artifact, looking, work);
  const accepted = await operation.acceptImage(source, found.image);
  let tables: LayerTables | undefined;
  const look = async (store: Operation["store"]) => {
    const { signal } = operation;
    const indexes = await IntactIndexes.find(store, accepted.layers, { signal, onEvent: events.tell });
    tables ??= await findTables(operation, accepted, { source, pipeline, indexes });
    indexes.tables = tables;
    const layers = indexes.standingFor(accepted.layers).toReversed(); // newest first
    return await read({ operation, source, pipeline }, { accepted, layers, indexes }, looking, work);
  };
  for (let store = operation.store; ; ) {
    try {
      return await look(store);
    } catch (error) {
      operation.signal.throwIfAborted();
      if (error instanceof LayerWanted) {
        tables?.giveUp(error.layer);
        readWhole(error.layer, error.message, { onEvent: events.tell });
      } else if (error instanceof IndexContradicted && store !== undefined) {
        const message = "the layers are read: what was read out of one of them is not what its index says";
        events.tell({ type: "decision", topic: "store", message });
        store = undefined;
      } else throw error;
    }
  }
}

/** What is open while an artifact is looked into. */
interface Opened {
  readonly operation: Operation;
  readonly source: CountedImage;
  readonly pipeline: Pipeline;
}

/** Looks into an artifact: files need not be fetched to be listed, archives are read that have to do with the path. */
async function lookIntoArtifact<Result>(
  opened: Opened,
  artifact: Artifact,
  looking: Looking,
  work: (reader: ImageReader) => Promise<Result>,
): Promise<Result> {
  const { operation, source } = opened;
  const resolved = resolvedArtifact(artifact);
  await operation.accept(source, resolved, resolvedEvent(resolved));
  const files = artifact.files.filter(({ name }) => isOnTheWay(name, looking.path));
  const layers = indexedFiles(files, artifact.manifest.layers);
  const indexes = new FileIndexes(artifact);
  return await read(opened, { accepted: lookedInto(artifact, source), layers, indexes }, looking, work);
}

/** What is read of an image or an artifact, and what stands for its layers. */
type Readable = Pick<ConstructorParameters<typeof ImageReader>[0], "accepted" | "layers" | "indexes">;

/** Lets `work` look into what was accepted. */
async function read<Result>(
  { operation, source, pipeline }: Opened,
  { accepted, layers, indexes }: Readable,
  { readsFile }: Looking,
  work: (reader: ImageReader) => Promise<Result>,
): Promise<Result> {
  const { image, blobs, progress } = accepted;
  using ticker = new ProgressTicker(blobs, progress, operation.events.tell);
  await using onDemand = new LayersOnDemand(source, layers.map(demandedOf(image)), {
    indexes,
    directory: tmpdir(),
    areKept: readsFile,
    events: operation.events,
    onProgress: (layer, bytes) => progress.setDownloadedBytes(layer, bytes),
  });
  return await work(new ImageReader({ operation, accepted, layers, onDemand, pipeline, indexes, ticker }));
}

function demandedOf({ layers }: LookedInto["image"]): (layer: NumberedLayer) => DemandedLayer {
  return ({ number, form }) => {
    const { descriptor } = layers[number] ?? noLayer(number);
    return { number, descriptor, isIndexed: form === "index" };
  };
}
