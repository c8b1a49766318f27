import { createHash } from "node:crypto";
import { type FileHandle, rmdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { FetchOptions } from "../base/events.ts";
import { statIfThere } from "../base/if-there.ts";
import type { OverlayKind, SandboxPolicy } from "../base/option-words.ts";
import { fileSystemError } from "../base/system-error.ts";
import type { Image } from "../image/resolve.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { chainIDs } from "../oci/config.ts";
import type { Digest } from "../oci/digest.ts";
import { BlobStore, makeStore } from "../store/blob-store.ts";
import { LayerStore, Overlays } from "../store/layer-store.ts";
import type { Store } from "../store/store.ts";
import { discardFromThread } from "../worker/discarding.ts";

/** What decides where layers are, and what they are like. */
export interface LayerDirectoriesParts {
  /** The private directory that becomes `layers`, in which each layer is `NUMBER/diff`. */
  readonly staging: string;
  readonly kind: OverlayKind;
  readonly settings: RootfsSettings;
  readonly sandbox: SandboxPolicy;
  readonly store: Store | undefined;
}

/** Layers in a store, which is in use meanwhile. */
interface KeptLayers {
  readonly layers: LayerStore;
  readonly overlays: Overlays;
  readonly staging: string;
  readonly use: FileHandle;
}

/** Where the layers of an overlay are: made beside each other, or in a store with links to them. */
export class LayerDirectories implements AsyncDisposable {
  readonly #staging: string;
  readonly #kept: KeptLayers | undefined;
  readonly #variant: string;
  readonly #sandbox: SandboxPolicy;

  private constructor(
    { staging, kind, settings, sandbox }: LayerDirectoriesParts,
    kept: KeptLayers | undefined,
    user: number,
  ) {
    this.#staging = staging;
    this.#sandbox = sandbox;
    this.#kept = kept;
    this.#variant = variantOf(kind, settings, user);
  }

  static async open(parts: LayerDirectoriesParts, waiting: FetchOptions): Promise<LayerDirectories> {
    const { effectiveUser } = await import("../linux/thread.ts");
    if (parts.store === undefined) return new LayerDirectories(parts, undefined, effectiveUser());
    const blobs = new BlobStore(parts.store.directory);
    await makeStore(blobs);
    const use = await blobs.use(waiting);
    const layers = new LayerStore(blobs);
    const overlays = new Overlays(blobs);
    return new LayerDirectories(parts, { layers, overlays, staging: await layers.stage(), use }, effectiveUser());
  }

  /** Where new layers are to be made. */
  get making(): string {
    return this.#kept?.staging ?? this.#staging;
  }

  /** Whether what is made will be built upon by others. */
  get areKept(): boolean {
    return this.#kept !== undefined;
  }

  /** The layers that are there already, each as a directory with `diff` in it. */
  async find({ layers }: Image): Promise<readonly (string | undefined)[]> {
    const found: (string | undefined)[] = [];
    for (const chainID of chainIDsOf(layers)) found.push(await this.#kept?.layers.find(this.#variant, chainID));
    return found;
  }

  /** Puts all layers where they belong, now that those that were missing are made and verified. */
  async settle(
    { layers }: Image,
    found: readonly (string | undefined)[],
    sizes: (layer: number) => number,
  ): Promise<void> {
    const kept = this.#kept;
    if (kept === undefined) return;
    for (const [number, chainID] of chainIDsOf(layers).entries()) {
      const made = join(kept.staging, String(number));
      const path = found[number] ?? (await kept.layers.keep(made, this.#variant, chainID, sizes(number)));
      await symlink(path, join(this.#staging, String(number))).catch((error: unknown) => {
        throw fileSystemError(error, `link to the layer "${path}"`);
      });
    }
  }

  /** Notes that an overlay in a directory uses these layers. */
  async noteUse(directory: string): Promise<void> {
    await this.#kept?.overlays.noteUse(directory);
  }

  /** Removes whatever was made and has not found its place. */
  async [Symbol.asyncDispose](): Promise<void> {
    if ((await statIfThere(this.#staging)) !== undefined) await discardFromThread(this.#staging, this.#sandbox);
    if (this.#kept === undefined) return;
    await discardFromThread(this.#kept.staging, this.#sandbox);
    await rmdir(this.#kept.staging);
    await this.#kept.use.close();
  }
}

function chainIDsOf(layers: Image["layers"]): readonly Digest[] {
  return chainIDs(layers.map(({ diffID }) => diffID));
}

/** Names what layers have in common that were unpacked alike. Limits only decide whether, not how. */
function variantOf(kind: OverlayKind, { limits: _limits, ...settings }: RootfsSettings, user: number): string {
  const words = JSON.stringify([kind, user, Object.entries(settings).sort()]);
  return `${kind}-${createHash("sha256").update(words).digest("hex").slice(0, 16)}`;
}
