import { tmpdir } from "node:os";
import type { Kinds } from "../base/option-checks.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import type { Image } from "../image/resolve.ts";
import { CountedImage } from "../operation/counted-image.ts";
import { findTables } from "../operation/find-tables.ts";
import { IntactIndexes } from "../operation/intact-indexes.ts";
import { Operation } from "../operation/operation.ts";
import { applyKinds, partialKinds, type UnpackOptions } from "../operation/options.ts";
import { LayerWanted } from "../table/layer-table.ts";
import { type LayerTables, readWhole } from "../table/layer-tables.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { ImageReader } from "./image-reader.ts";
import { type DemandedLayer, LayersOnDemand } from "./layers-on-demand.ts";
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

/**
 * Opens an image for `work` to look into. All that is opened for it, connections included, is closed when `work` has
 * ended.
 */
export async function withImageReader<Options extends LookOptions, Result>(
  name: string,
  options: Options,
  kinds: Kinds<Options>,
  { readsFile }: { readonly readsFile: boolean },
  work: (reader: ImageReader) => Promise<Result>,
): Promise<Result> {
  await using operation = Operation.begin(name, options, kinds);
  const { events, settings } = operation;
  const source = new CountedImage(await operation.source());
  await using pipeline = new Pipeline(settings.apply.limits, "tree-worker"); // while the network is asked, the threads start
  const accepted = await operation.resolve(source);
  const { image, progress } = accepted;
  let tables: LayerTables | undefined;
  const look = async (store: Operation["store"]) => {
    const { signal } = operation;
    const indexes = await IntactIndexes.find(store, accepted.layers, { signal, onEvent: events.tell });
    tables ??= await findTables(operation, accepted, { source, pipeline, indexes });
    indexes.tables = tables;
    const layers = indexes.standingFor(accepted.layers).toReversed(); // newest first
    await using onDemand = new LayersOnDemand(source, layers.map(demandedOf(image)), {
      indexes,
      directory: tmpdir(),
      areKept: readsFile,
      events,
      onProgress: (layer, bytes) => progress.setDownloadedBytes(layer, bytes),
    });
    return await work(new ImageReader({ operation, accepted, layers, onDemand, pipeline, indexes }));
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

function demandedOf({ layers }: Image): (layer: NumberedLayer) => DemandedLayer {
  return ({ number, form }) => {
    const { descriptor } = layers[number] ?? fail(`there is no layer ${number}`);
    return { number, descriptor, isIndexed: form === "index" };
  };
}

function fail(why: string): never {
  throw new TypeError(why);
}
