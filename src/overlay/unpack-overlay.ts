import { join, resolve } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { type Kinds, path, pathOf, store, word } from "../base/option-checks.ts";
import { type OverlayKind, overlayModes } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import type { Image } from "../image/resolve.ts";
import type { ApplyOptions } from "../layer/settings.ts";
import type { EventLog } from "../operation/event-log.ts";
import { fetchLayers, type LayerTotals } from "../operation/fetch-layers.ts";
import { type AcceptedImage, Operation } from "../operation/operation.ts";
import { applyKinds, type UnpackOptions, type UnpackResult } from "../operation/options.ts";
import { Target } from "../output/new-directory.ts";
import { type OpenedSource, openSource, ownSource } from "../source/default-source.ts";
import type { Store } from "../store/store.ts";
import { storedSource } from "../store/stored-source.ts";
import { insistOnLinux } from "../system/lack.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Pipeline } from "../worker/pipeline.ts";
import type { ApplyOverlayJob } from "./apply-overlay-job.ts";
import { LayerDirectories } from "./layer-directories.ts";
import { insistOnMountPoint, layersAtMost, mountOptions, mountOverlay, mountScript } from "./mount.ts";

export interface OverlayOptions extends ResolveOptions, ApplyOptions, Pick<UnpackOptions, "sandbox"> {
  /**
   * Who can mount it: "privileged" takes root, to unpack as to mount; with "userxattr" any user can, in a user
   * namespace. Default: "privileged" as root, else "userxattr".
   */
  readonly overlay?: OverlayKind;
  /**
   * Keeps the layers, as directories, in a store: an image that shares layers with another has them at once. Where no
   * `source` is given, blobs are kept there as well.
   */
  readonly store?: Store;
  /** Mounts the overlay at this directory, which is made if need be. */
  readonly mount?: string | URL;
}

const overlayKinds: Kinds<OverlayOptions> = {
  ...resolveKinds,
  ...applyKinds,
  overlay: word(...overlayModes),
  store,
  mount: path,
};

/** Where the layers are, and how to mount them as one. */
export interface OverlayResult extends Omit<UnpackResult, "rootfs" | "mtree"> {
  /** Absolute path of the directory that has it all. */
  readonly directory: string;
  /** Absolute paths of the layers' directories, bottom first. */
  readonly layerDirectories: readonly string[];
  /** How many of the layers were in the store. */
  readonly reusedLayers: number;
  readonly overlay: OverlayKind;
  /** Absolute path of the script that mounts it: `sh mount.sh [POINT]`. */
  readonly script: string;
  /** Where it is mounted. */
  readonly mount?: string;
}

/**
 * Unpacks an image so that the kernel can put it together: each layer into a directory of its own, in
 * `directory/layers`, with a script that mounts them as one, and the image's configuration, byte for byte, as
 * `config.json`.
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
  await using operation = Operation.begin(name, options, overlayKinds, openKeptSource);
  insistOnLinux("unpack an image as an overlay");
  const path = pathOf("directory", directory);
  const mountPoint = options.mount === undefined ? undefined : pathOf("mount", options.mount);
  if (mountPoint !== undefined) insistOnMountPoint(mountPoint, path);
  const kind = await settleKind(options.overlay);
  const { settings, events, signal } = operation;
  await using target = await Target.claim(path);
  const parts = {
    staging: target.staging,
    kind,
    settings: settings.apply,
    sandbox: settings.sandbox,
    store: options.store,
  };
  await using directories = await LayerDirectories.open(parts, { signal, onEvent: events.tell });
  const accepted = await operation.resolve(await operation.source());

  const { image } = accepted;
  insistOnFewLayers(image);
  const making = { operation, accepted, target, directories, kind };
  const totals = await makeLayers(making);
  signal.throwIfAborted();
  await putTogether(making, mountPoint);
  const mount = mountPoint === undefined ? undefined : resolve(mountPoint);
  return {
    ...operation.finish(image, mount ?? target.directory),
    directory: target.directory,
    config: target.config,
    script: join(target.directory, "mount.sh"),
    layerDirectories: image.layers.map((_, number) => join(target.directory, "layers", String(number), "diff")),
    overlay: kind,
    ...present({ mount }),
    ...totals,
    ...events.summary(),
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
  const source = storedSource(ownSource(name, options), options.store, present({ limits: options.limits }));
  return { source: Promise.resolve(source), [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() };
}

function insistOnFewLayers({ reference, layers: { length } }: Image): void {
  if (length <= layersAtMost) return;
  throw new OciUnpackError(
    "LIMIT_EXCEEDED",
    `cannot make an overlay of "${reference}": it has ${length} layers, of which the kernel stacks ${layersAtMost}`,
  );
}

interface Making {
  readonly operation: Operation;
  readonly accepted: AcceptedImage;
  readonly target: Target;
  readonly directories: LayerDirectories;
  readonly kind: OverlayKind;
}

/** Makes the layers that are not there yet. */
async function makeLayers(making: Making): Promise<LayerTotals & Pick<OverlayResult, "reusedLayers">> {
  const { operation, accepted, directories } = making;
  const { image, progress } = accepted;
  const found = await directories.find(image);
  for (const [layer, path] of found.entries()) if (path !== undefined) tellReused(image, layer, operation.events);
  const layers = accepted.layers.filter(({ number }) => found[number] === undefined);
  const totals = layers.length === 0 ? progress.totals() : await fetchMissing(making, layers, found);
  await directories.settle(image, found, (layer) => progress.unpackedBytes(layer));
  return { ...totals, reusedLayers: image.layers.length - layers.length };
}

async function fetchMissing(
  { operation, accepted, target, directories, kind }: Making,
  layers: readonly NumberedLayer[],
  found: readonly (string | undefined)[],
): Promise<LayerTotals> {
  const { sandbox, apply: settings } = operation.settings;
  await using pipeline = new Pipeline(settings.limits);
  const present = found.map((path) => (path === undefined ? undefined : join(path, "diff")));
  return await fetchLayers(
    operation,
    { ...accepted, layers },
    { pipeline, directory: target.directory },
    (input): ApplyOverlayJob => ({
      type: "apply-overlay",
      input,
      progress: accepted.progress.shared,
      staging: directories.making,
      layers: present,
      kind,
      isKept: directories.areKept,
      sandbox,
      settings,
    }),
  );
}

/** A layer that is there counts as downloaded and unpacked: whoever watches sees the whole image arrive. */
function tellReused({ layers }: Image, layer: number, events: EventLog): void {
  const { digest, sizeBytes } = layers[layer]?.descriptor ?? {};
  if (digest === undefined || sizeBytes === undefined) return;
  events.tell({ type: "stored", digest, bytes: sizeBytes });
  events.tell({ type: "downloaded", layer, bytes: sizeBytes, totalBytes: sizeBytes });
  events.tell({ type: "layer-finished", layer, entries: 0 });
}

/** Adds what an overlay needs besides its layers, and makes everything appear. */
async function putTogether(
  { operation, accepted, target, directories, kind }: Making,
  mount: string | undefined,
): Promise<void> {
  const { makeEmptyLayer, makeUpper } = await import("./upper-directory.ts");
  const { image } = accepted;
  const { apply: settings } = operation.settings;
  const { staging, directory } = target;
  // An overlay has at least one layer, even of an image that has none.
  const layers = Math.max(image.layers.length, 1);
  if (image.layers.length === 0) makeEmptyLayer(join(staging, "0"), kind, settings);
  makeUpper(staging, join(staging, String(layers - 1), "diff"), kind, settings);
  const documents = { "mount.sh": Buffer.from(mountScript(layers, kind)), "config.json": image.configBytes };
  await target.commit(documents, {
    as: "layers",
    async between() {
      await directories.noteUse(directory);
      if (mount !== undefined) await mountOverlay(join(directory, "layers"), mountOptions(layers, kind), mount);
    },
  });
}
