import type { RootfsSettings } from "../layer/settings.ts";
import { TarDecoder } from "../tar/decoder.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { Progress } from "./progress.ts";
import type { Reporter } from "./reporter.ts";
import { inLayer, tell } from "./serve.ts";

/** Takes the entries of one layer, in their order. */
export interface EntrySink {
  apply(entry: Entry, body: ByteSource): void;
  end(): void;
}

export interface LayerOfEntries {
  readonly job: { readonly progress: SharedArrayBuffer; readonly settings: RootfsSettings };
  /** The layer's number in the image, from 0. */
  readonly layer: number;
  readonly input: ByteSource;
  readonly reporter: Reporter;
  /** Called when the layer begins, after `reporter` has its number. */
  readonly begin: () => EntrySink;
}

/** Decodes the next archive of the input and gives its entries to the sink, one after the other. */
export function applyEntries({ job, layer, input, reporter, begin }: LayerOfEntries): void {
  tell({ type: "layer-started", layer });
  reporter.layer = layer;
  const { limits, strict } = job.settings;
  const progress = new Progress(job.progress);
  const decoder = new TarDecoder(input, { limits, strict, warning: reporter.warning });
  let entries = 0;
  inLayer(layer, () => {
    const sink = begin();
    for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) {
      sink.apply(entry, decoder);
      entries += 1;
      progress.setEntries(layer, entries);
    }
    sink.end();
  });
  tell({ type: "layer-finished", layer, entries });
}
