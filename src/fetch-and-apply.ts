import { availableParallelism } from "node:os";
import type { Account } from "./account.ts";
import { LayerFetch } from "./blob/fetch.ts";
import { OciUnpackError } from "./errors.ts";
import type { Descriptor } from "./oci/descriptor.ts";
import { layerCompression } from "./oci/media-type.ts";
import { formatPlatform } from "./oci/platform.ts";
import { ProgressTicker } from "./progress-ticker.ts";
import type { Image, ImageLayer } from "./resolve.ts";
import type { UnpackSettings } from "./settings.ts";
import type { ImageSource } from "./source/source.ts";
import { together } from "./together.ts";
import type { Pipeline } from "./worker/pipeline.ts";
import type { Progress } from "./worker/progress.ts";
import type { ApplyOverlayJob, Job, NumberedLayer, Report } from "./worker/protocol.ts";
import type { SharedRing } from "./worker/ring.ts";

/** An image whose layers are to go through the working threads. */
export interface Fetching {
  readonly image: Image;
  /** Those of its layers that are to be unpacked, bottom first. */
  readonly layers: readonly NumberedLayer[];
  readonly source: ImageSource;
  /** Where temporary files may be made. */
  readonly directory: string;
  readonly pipeline: Pipeline;
  readonly progress: Progress;
  readonly account: Account;
  readonly settings: UnpackSettings;
  /** What becomes of the threads' reports. Default: they are taken into account. */
  readonly onReport?: (report: Report) => void;
}

export interface Unpacking extends Fetching {
  /** Absolute path of the private directory that becomes the root filesystem, or holds the layers of an overlay. */
  readonly staging: string;
  /** For the layers of an overlay: how they are to be made, and on what. */
  readonly overlay?: Pick<ApplyOverlayJob, "layers" | "kind" | "isKept">;
  /** Whether a manifest of the files is wanted afterwards. Default: false. */
  readonly isRecorded?: boolean;
}

/** Blobs come in, files come out; both at once, until all is verified. Gives how many bytes of blobs were in a store. */
export function fetchAndApply(unpacking: Unpacking): Promise<number> {
  return fetchAndConsume(unpacking, (archives) => applyJob(unpacking, archives));
}

function applyJob(unpacking: Unpacking, input: SharedRing): Job {
  const { layers, staging, overlay, isRecorded = false, progress, settings } = unpacking;
  const common = { input, progress: progress.shared, staging, sandbox: settings.sandbox, settings: settings.apply };
  if (overlay !== undefined) return { type: "apply-overlay", ...common, ...overlay };
  return { type: "apply", ...common, layers: layers.length, isRecorded };
}

/** The same, where the second thread does something else with the archives. */
export async function fetchAndConsume(fetching: Fetching, consume: (archives: SharedRing) => Job): Promise<number> {
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
