import { type Kinds, path, store, word } from "../base/option-checks.ts";
import { type OverlayKind, overlayModes } from "../base/option-words.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import type { ApplyOptions } from "../layer/settings.ts";
import { applyKinds } from "../operation/option-kinds.ts";
import type { UnpackOptions, UnpackResult } from "../operation/options.ts";
import type { Store } from "../store/store.ts";

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

export const overlayKinds: Kinds<OverlayOptions> = {
  ...resolveKinds,
  ...applyKinds,
  overlay: word(...overlayModes),
  store,
  mount: path,
};

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
