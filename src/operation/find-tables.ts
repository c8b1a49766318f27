import type { ImageSource } from "../blob/image-source.ts";
import { LayerTables } from "../table/layer-tables.ts";
import type { Pipeline } from "../worker/pipeline.ts";
import type { IntactIndexes } from "./intact-indexes.ts";
import type { AcceptedImage, Operation } from "./operation.ts";

/**
 * Finds the tables of contents of the layers that have no index, where the caller allows them to stand for layers. The
 * threads of `pipeline` check them.
 */
export async function findTables(
  { settings, events, signal }: Operation,
  { image, layers }: AcceptedImage,
  {
    source,
    pipeline,
    indexes,
  }: { readonly source: ImageSource; readonly pipeline: Pipeline; readonly indexes: IntactIndexes },
): Promise<LayerTables | undefined> {
  if (!settings.isPartial) return undefined;
  const wanted = layers.flatMap(({ number }) => {
    const descriptor = indexes.has(number) ? undefined : image.layers[number]?.descriptor;
    return descriptor === undefined ? [] : [{ number, descriptor }];
  });
  const { sandbox, apply } = settings;
  return await LayerTables.find(wanted, { source, pipeline, sandbox, settings: apply, signal, onEvent: events.tell });
}
