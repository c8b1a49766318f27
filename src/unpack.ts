import { availableParallelism } from "node:os";
import { Account } from "./account.ts";
import { LayerFetch } from "./blob/fetch.ts";
import { OciUnpackError } from "./errors.ts";
import type { Descriptor } from "./oci/descriptor.ts";
import { layerCompression } from "./oci/media-type.ts";
import { formatPlatform } from "./oci/platform.ts";
import type { UnpackOptions, UnpackResult } from "./options.ts";
import { ProgressTicker } from "./progress-ticker.ts";
import { type Image, type ImageLayer, resolveImage } from "./resolve.ts";
import { settle, type UnpackSettings } from "./settings.ts";
import { openSource } from "./source/default-source.ts";
import type { ImageSource } from "./source/source.ts";
import { type Documents, Target } from "./target.ts";
import { together } from "./together.ts";
import { Pipeline, type PipelineLayer } from "./worker/pipeline.ts";
import { Progress } from "./worker/progress.ts";

/**
 * Downloads an image and unpacks it: its root filesystem into `directory/rootfs`, its configuration, byte for byte, into
 * `directory/config.json`.
 *
 * `directory` must be absent or empty. Both appear when every digest, size and diffID was right, `config.json` last;
 * whatever goes wrong before, nothing is left behind.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function unpack(name: string, directory: string, options: UnpackOptions = {}): Promise<UnpackResult> {
  const startedAt = performance.now();
  const settings = settle(options);
  const account = new Account(options);
  account.signal.throwIfAborted();

  await using opened = openSource(name, options);
  const source = opened.source.image(name);
  await using target = await Target.claim(directory);
  await using pipeline = new Pipeline(); // while the network is asked, the threads start
  const image = await resolveImage(source, { ...options, signal: account.signal, onEvent: account.tell });
  const layers = image.layers.map(pipelineLayer);
  account.tell(resolved(image));

  const progress = Progress.forLayers(image.layers.length);
  let storedBytes = 0;
  try {
    storedBytes = await fetchAndApply({ image, layers, source, target, pipeline, progress, account, settings });
    account.signal.throwIfAborted();
    await target.commit(await documentsOf(image, target.staging, options.bundle));
  } catch (error) {
    await pipeline.discard(target.staging);
    throw error;
  }

  const totals = progress.totals();
  const milliseconds = performance.now() - startedAt;
  account.tell({ type: "finished", digest: image.digest, rootfs: target.rootfs, milliseconds });
  return {
    reference: image.reference,
    digest: image.digest,
    platform: image.platform,
    rootfs: target.rootfs,
    config: target.config,
    layers: image.layers.length,
    ...totals,
    downloadedBytes: totals.downloadedBytes - storedBytes,
    ...account.summary(),
    milliseconds,
  };
}

async function documentsOf(image: Image, staging: string, bundle: UnpackOptions["bundle"]): Promise<Documents> {
  if (bundle === undefined || bundle === false) return { "config.json": image.configBytes };
  const { bundleConfig } = await import("./bundle/bundle.ts");
  const config = bundleConfig(image.config, staging, bundle === true ? undefined : bundle);
  return { "image-config.json": image.configBytes, "config.json": config };
}

interface Unpacking {
  readonly image: Image;
  readonly layers: readonly PipelineLayer[];
  readonly source: ImageSource;
  readonly target: Target;
  readonly pipeline: Pipeline;
  readonly progress: Progress;
  readonly account: Account;
  readonly settings: UnpackSettings;
}

/** Blobs come in, files come out; both at once, until all is verified. Gives how many bytes of blobs were in a store. */
async function fetchAndApply(unpacking: Unpacking): Promise<number> {
  const { image, layers, source, target, pipeline, progress, account, settings } = unpacking;
  const descriptors = image.layers.map(({ descriptor }) => descriptor);
  await using fetch = new LayerFetch(source, descriptors, {
    parallelDownloads: settings.apply.limits.parallelDownloads,
    directory: target.directory,
    onEvent: account.tell,
    onProgress: (layer, bytes) => progress.setDownloadedBytes(layer, bytes),
  });
  using _ticker = new ProgressTicker(descriptors, progress, account.tell);
  await together(account.signal, [
    (signal) => fetch.run(signal),
    (signal) =>
      pipeline.run(
        {
          layers,
          open: (layer) => fetch.layer(layer),
          progress,
          hasDigestThread: deservesDigestThread(descriptors),
          staging: target.staging,
          sandbox: settings.sandbox,
          settings: settings.apply,
          onReport: account.report,
        },
        signal,
      ),
  ]);
  return fetch.storedBytes;
}

/** Digesting takes a quarter of the decompressing thread's time, starting a thread about 30 ms of a processor's. */
function deservesDigestThread(layers: readonly Descriptor[]): boolean {
  const totalBytes = layers.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  return totalBytes >= 32 * 1024 * 1024 && availableParallelism() > 2;
}

/** What can be unpacked, before any of it is downloaded. */
function pipelineLayer({ descriptor, diffID }: ImageLayer): PipelineLayer {
  const compression = layerCompression(descriptor.mediaType);
  if (compression !== undefined) return { compression, diffID };
  const found = `"${descriptor.mediaType}" is no layer of files`;
  throw new OciUnpackError("UNSUPPORTED_MEDIA_TYPE", `cannot unpack layer ${descriptor.digest}: ${found}`);
}

function resolved(image: Image) {
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
