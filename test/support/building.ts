import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultLimits, type Limits } from "../../src/base/limits.ts";
import type { RootfsSettings } from "../../src/layer/settings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { closeDescriptor, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { removeChildren } from "../../src/rootfs/remove-tree.ts";
import { openRootfs } from "../../src/rootfs/rootfs.ts";
import { textOf } from "../../src/tar/byte-string.ts";
import { type Member, pieces } from "./entries.ts";
import { readTree, type Tree } from "./tree.ts";

export interface BuildingOptions extends Partial<Omit<RootfsSettings, "limits">> {
  readonly limits?: Partial<Limits>;
  /** Where the root filesystem is to be made. Default: the system's directory for temporary files. */
  readonly within?: string;
  /** Prepares the directory before it becomes a root. */
  readonly before?: (directory: string) => void;
}

/** A root filesystem and what was found while it was made. Goes when its scope ends. */
export interface Building extends Disposable {
  readonly directory: string;
  /** Read when it is first asked for, which may take more rights than making it. */
  readonly tree: Tree;
  /** `path: reason` */
  readonly skipped: readonly string[];
  /** `CODE path` */
  readonly warnings: readonly string[];
}

/** Applies layers, the bottom one first, to a directory made for it. */
export function built(layers: readonly (readonly Member[])[], options: BuildingOptions = {}): Building {
  const { within = tmpdir(), before, limits, ...settings } = options;
  const directory = mkdtempSync(join(within, "oci-unpack-test-"));
  const handle = openDirectoryPath(directory);
  const remove = () => {
    removeChildren(handle);
    closeDescriptor(handle);
    rmdirSync(directory);
  };
  try {
    before?.(directory);
    const findings = apply(handle, layers, applySettings({ ...settings, limits: { ...defaultLimits, ...limits } }));
    let tree: Tree | undefined;
    return {
      directory,
      get tree() {
        tree ??= readTree(directory, { contents: "bytes" });
        return tree;
      },
      ...findings,
      [Symbol.dispose]: remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function apply(handle: number, layers: readonly (readonly Member[])[], settings: RootfsSettings) {
  const skipped: string[] = [];
  const warnings: string[] = [];
  const rootfs = openRootfs(handle, settings, {
    skipped: (path, reason) => skipped.push(`${textOf(path)}: ${reason}`),
    warning: (code, _message, path) => warnings.push(path === undefined ? code : `${code} ${textOf(path)}`),
  });
  try {
    for (const [index, layer] of layers.entries()) {
      const applier = rootfs.beginLayer(index);
      for (const { entry, data } of layer) applier.apply(entry, pieces(data));
      applier.end();
    }
    rootfs.finish();
  } finally {
    rootfs.close();
  }
  return { skipped, warnings };
}
