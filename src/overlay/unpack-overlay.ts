import { join, resolve } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { check, checkOptions, pathOf, text } from "../base/option-checks.ts";
import type { ImageSource } from "../blob/image-source.ts";
import { type Image, resolveImage } from "../image/resolve.ts";
import { EventLog } from "../operation/event-log.ts";
import { fetchAndConsume, numberedLayers, resolved } from "../operation/fetch-layers.ts";
import { settle, type UnpackSettings } from "../operation/settings.ts";
import { Target } from "../output/new-directory.ts";
import { type OpenedSource, openSource, ownSource } from "../source/default-source.ts";
import { storedSource } from "../store/stored-source.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { Progress } from "../worker/progress.ts";
import type { ApplyOverlayJob } from "./apply-overlay-job.ts";
import type { OverlayKind } from "./format.ts";
import { LayerPlaces } from "./layer-places.ts";
import { mountOverlay } from "./mount.ts";
import { layersAtMost, mountOptions, mountScript } from "./mount-command.ts";
import { insistOnMountPoint } from "./mount-point.ts";
import { type OverlayOptions, type OverlayResult, overlayKinds } from "./options.ts";

/**
 * Unpacks an image so that the kernel can put it together: each layer into a directory of its own, in `directory/layers`,
 * with a script that mounts them as one, and the image's configuration, byte for byte, as `config.json`.
 *
 * `directory` must be absent or empty, and has all of this or nothing in the end.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function unpackOverlay(
  name: string,
  directory: string | URL,
  options: OverlayOptions = {},
): Promise<OverlayResult> {
  const startedAt = performance.now();
  check("name", name, text);
  checkOptions(options, overlayKinds);
  const path = pathOf("directory", directory);
  const mountPoint = options.mount === undefined ? undefined : pathOf("mount", options.mount);
  const settings = settle(options);
  const kind = await settleKind(options.overlay);
  const account = new EventLog(options);
  if (mountPoint !== undefined) insistOnMountPoint(mountPoint, path);
  account.signal.throwIfAborted();

  await using opened = openKeptSource(name, options);
  const source = (await opened.source).image(name);
  await using target = await Target.claim(path);
  const { apply, sandbox } = settings;
  const parts = { staging: target.staging, kind, settings: apply, sandbox, store: options.store };
  await using places = await LayerPlaces.open(parts, { signal: account.signal, onEvent: account.tell });
  const image = await resolveImage(source, { ...options, signal: account.signal, onEvent: account.tell });
  account.tell(resolved(checked(image)));
  const making = { image, source, target, places, account, settings, kind };
  const { reusedLayers, ...totals } = await makeLayers(making);
  account.signal.throwIfAborted();
  await putTogether(making, mountPoint);

  const mount = mountPoint === undefined ? undefined : resolve(mountPoint);
  const milliseconds = performance.now() - startedAt;
  account.tell({ type: "finished", digest: image.digest, output: mount ?? target.directory, milliseconds });
  return {
    ...{ reference: image.reference, digest: image.digest, platform: image.platform },
    ...{ directory: target.directory, config: target.config, script: join(target.directory, "mount.sh") },
    layers: image.layers.map((_, number) => join(target.directory, "layers", String(number), "diff")),
    ...{ reusedLayers, overlay: kind, ...(mount !== undefined && { mount }) },
    ...totals,
    ...account.summary(),
    milliseconds,
  };
}

async function settleKind(kind: OverlayKind | undefined): Promise<OverlayKind> {
  if (kind !== undefined) return kind;
  const { effectiveUser } = await import("../linux/thread.ts");
  return effectiveUser() === 0 ? "privileged" : "userxattr";
}

/** The source that the name asks for; with a store, one that keeps what it gives. */
function openKeptSource(name: string, options: OverlayOptions): OpenedSource {
  if (options.source !== undefined || options.store === undefined) return openSource(name, options);
  const source = storedSource(ownSource(name, options), options.store);
  return { source: Promise.resolve(source), [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() };
}

function checked(image: Image): Image {
  const { length } = image.layers;
  if (length <= layersAtMost) return image;
  throw new OciUnpackError(
    "LIMIT_EXCEEDED",
    `cannot make an overlay of "${image.reference}": it has ${length} layers, of which the kernel stacks ${layersAtMost}`,
  );
}

interface Making {
  readonly image: Image;
  readonly source: ImageSource;
  readonly target: Target;
  readonly places: LayerPlaces;
  readonly account: EventLog;
  readonly settings: UnpackSettings;
  readonly kind: OverlayKind;
}

type Totals = Pick<OverlayResult, "entries" | "unpackedBytes" | "downloadedBytes" | "reusedLayers">;

/** Makes the layers that are not there yet. */
async function makeLayers(making: Making): Promise<Totals> {
  const { image, source, target, places, account, settings, kind } = making;
  const progress = Progress.forLayers(image.layers.length);
  const found = await places.find(image);
  for (const [layer, path] of found.entries()) if (path !== undefined) tellReused(image, layer, account);
  const layers = numberedLayers(image).filter(({ number }) => found[number] === undefined);
  let storedBytes = 0;
  if (layers.length > 0) {
    await using pipeline = new Pipeline(settings.apply.limits);
    const present = found.map((path) => (path === undefined ? undefined : join(path, "diff")));
    storedBytes = await fetchAndConsume(
      { image, layers, source, directory: target.directory, pipeline, progress, account, settings },
      (input): ApplyOverlayJob => ({
        type: "apply-overlay",
        input,
        progress: progress.shared,
        staging: places.making,
        layers: present,
        kind,
        isKept: places.areKept,
        sandbox: settings.sandbox,
        settings: settings.apply,
      }),
    );
  }
  await places.settle(image, found, (layer) => progress.unpackedBytes(layer));
  const { downloadedBytes, ...totals } = progress.totals();
  const reusedLayers = image.layers.length - layers.length;
  return { ...totals, downloadedBytes: downloadedBytes - storedBytes, reusedLayers };
}

/** A layer that is there counts as downloaded and unpacked: whoever watches sees the whole image arrive. */
function tellReused({ layers }: Image, layer: number, account: EventLog): void {
  const { digest, sizeBytes } = layers[layer]?.descriptor ?? {};
  if (digest === undefined || sizeBytes === undefined) return;
  account.tell({ type: "stored", digest, bytes: sizeBytes });
  account.tell({ type: "downloaded", layer, bytes: sizeBytes, totalBytes: sizeBytes });
  account.tell({ type: "layer-finished", layer, entries: 0 });
}

/** Adds what an overlay needs besides its layers, and makes everything appear. */
async function putTogether(
  { image, target, places, settings, kind }: Making,
  mount: string | undefined,
): Promise<void> {
  const { makeEmptyLayer, makeUpper } = await import("./upper.ts");
  const { staging, directory } = target;
  // An overlay has at least one layer, even of an image that has none.
  const layers = Math.max(image.layers.length, 1);
  if (image.layers.length === 0) makeEmptyLayer(join(staging, "0"), kind, settings.apply);
  makeUpper(staging, join(staging, String(layers - 1), "diff"), kind, settings.apply);
  const documents = { "mount.sh": Buffer.from(mountScript(layers, kind)), "config.json": image.configBytes };
  await target.commit(documents, {
    as: "layers",
    async between() {
      await places.noteUse(directory);
      if (mount !== undefined) await mountOverlay(join(directory, "layers"), mountOptions(layers, kind), mount);
    },
  });
}
