import { availableParallelism } from "node:os";
import { together } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import { LayerFetch } from "../blob/fetch.ts";
import type { ImageSource } from "../blob/image-source.ts";
import type { Image, ImageLayer } from "../image/resolve.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { layerCompression } from "../oci/media-type.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { EngineReport, Job, Message, NumberedLayer } from "../worker/messages.ts";
import type { Pipeline } from "../worker/pipeline.ts";
import type { Progress } from "../worker/progress.ts";
import type { SharedRing } from "../worker/ring.ts";
import type { EventLog } from "./event-log.ts";
import { ProgressTicker } from "./progress-ticker.ts";
import type { UnpackSettings } from "./settings.ts";

/** An image whose layers are to go through the working threads. */
export interface Fetching<Own extends Message = never> {
  readonly image: Image;
  /** Those of its layers that are to be unpacked, bottom first. */
  readonly layers: readonly NumberedLayer[];
  readonly source: ImageSource;
  /** Where temporary files may be made. */
  readonly directory: string;
  readonly pipeline: Pipeline;
  readonly progress: Progress;
  readonly account: EventLog;
  readonly settings: UnpackSettings;
  /** What becomes of the threads' reports. Default: they are taken into account. */
  readonly onReport?: (report: EngineReport | Own) => void;
}

/**
 * Blobs come in, and the second thread does with the archives what its job says; both at once, until all is verified. Gives
 * how many bytes of blobs were in a store.
 */
export async function fetchAndConsume<Own extends Message = never>(
  fetching: Fetching<Own>,
  consume: (archives: SharedRing) => Job,
): Promise<number> {
  const { image, layers, source, directory, pipeline, progress, account, settings } = fetching;
  const all = image.layers.map(({ descriptor }) => descriptor);
  const descriptors = layers.flatMap(({ number }) => all[number] ?? []);
  await using fetch = new LayerFetch(source, descriptors, {
    parallelDownloads: settings.apply.limits.parallelDownloads,
    waiting: directory,
    numbers: layers.map(({ number }) => number),
    onEvent: account.tell,
    onProgress: (layer, bytes) => progress.setDownloadedBytes(layer, bytes),
  });
  using _ticker = new ProgressTicker(all, progress, account.tell);
  await together(account.signal, [
    (signal) => fetch.run(signal),
    (signal) =>
      pipeline.run(
        {
          layers,
          open: (index) => fetch.layer(index),
          prove: (index) => fetch.proven(index),
          progress,
          hasDigestThread: deservesDigestThread(descriptors),
          consume,
          sandbox: settings.sandbox,
          settings: settings.apply,
          onReport: fetching.onReport ?? account.report,
        },
        signal,
      ),
  ]);
  return fetch.storedBytes;
}

/** The layers of an image, as far as they can be unpacked, before any of it is downloaded. */
export function numberedLayers({ layers }: Image): readonly NumberedLayer[] {
  return layers.map(numberedLayer);
}

function numberedLayer({ descriptor, diffID }: ImageLayer, number: number): NumberedLayer {
  const compression = layerCompression(descriptor.mediaType);
  if (compression !== undefined) return { number, compression, diffID };
  const found = `"${descriptor.mediaType}" is no layer of files`;
  throw new OciUnpackError("UNSUPPORTED_MEDIA_TYPE", `cannot unpack layer ${descriptor.digest}: ${found}`);
}

/** Digesting takes a quarter of the decompressing thread's time or more, starting a thread about 30 ms of a processor's. */
function deservesDigestThread(layers: readonly Descriptor[]): boolean {
  const totalBytes = layers.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  return totalBytes >= 32 * 1024 * 1024 && availableParallelism() > 1;
}

/** Tells what an image turned out to be. */
export function resolved(image: Image) {
  const layers = image.layers.map(({ descriptor }) => ({ digest: descriptor.digest, sizeBytes: descriptor.sizeBytes }));
  const sizes = new Map(layers.map(({ digest, sizeBytes }) => [digest, sizeBytes]));
  return {
    type: "resolved",
    reference: image.reference,
    digest: image.digest,
    platform: formatPlatform(image.platform),
    layers,
    totalBytes: [...sizes.values()].reduce((total, sizeBytes) => total + sizeBytes, 0),
  } as const;
}
