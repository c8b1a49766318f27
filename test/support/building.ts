import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultLimits, type Limits } from "../../src/base/limits.ts";
import type { FindingsReporter } from "../../src/layer/findings.ts";
import type { RootfsSettings } from "../../src/layer/settings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { closeDescriptor, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { HandedFiles } from "../../src/rootfs/handed-files.ts";
import { removeChildren } from "../../src/rootfs/remove-tree.ts";
import { openRootfs } from "../../src/rootfs/rootfs.ts";
import { textOf } from "../../src/tar/byte-string.ts";
import { type Member, pieces } from "./entries.ts";
import { LateMakers } from "./late-makers.ts";
import { releaseTurn } from "./thorough.ts";
import { readTree, type Tree } from "./tree.ts";

export interface BuildingOptions extends Partial<Omit<RootfsSettings, "limits">> {
  readonly limits?: Partial<Limits>;
  /** Where the root filesystem is to be made. Default: the system's directory for temporary files. */
  readonly within?: string;
  /** Whether files are made by others than names. Default: in every other call. */
  readonly isHandedOn?: boolean;
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

let turn = releaseTurn;

/** Applies layers, the bottom one first, to a directory made for it. */
export function built(layers: readonly (readonly Member[])[], options: BuildingOptions = {}): Building {
  turn += 1;
  const { within = tmpdir(), before, limits, isHandedOn = turn % 2 === 0, ...stated } = options;
  const directory = mkdtempSync(join(within, "oci-unpack-test-"));
  const handle = openDirectoryPath(directory);
  const remove = () => {
    removeChildren(handle);
    closeDescriptor(handle);
    rmdirSync(directory);
  };
  try {
    before?.(directory);
    const settings = applySettings({ ...stated, limits: { ...defaultLimits, ...limits } });
    const findings = apply(handle, layers, settings, isHandedOn);
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

function apply(handle: number, layers: readonly (readonly Member[])[], settings: RootfsSettings, isHandedOn: boolean) {
  const skipped: string[] = [];
  const warnings: string[] = [];
  const reporter: FindingsReporter = {
    skipped(path, reason) {
      handed?.settle();
      skipped.push(`${textOf(path)}: ${reason}`);
    },
    warning(code, _message, path) {
      handed?.settle();
      warnings.push(path === undefined ? code : `${code} ${textOf(path)}`);
    },
  };
  using late = isHandedOn ? new LateMakers(handle, settings) : undefined;
  const handed = late && new HandedFiles(late, reporter);
  const rootfs = openRootfs(handle, settings, reporter, { handed });
  const applyAll = () => {
    for (const [index, layer] of layers.entries()) {
      const applier = rootfs.beginLayer(index);
      for (const { entry, data } of layer) applier.apply(entry, pieces(data));
      applier.end();
    }
    rootfs.finish();
  };
  try {
    if (handed === undefined) applyAll();
    else handed.inOrder(applyAll);
  } finally {
    rootfs.close();
  }
  return { skipped, warnings };
}
