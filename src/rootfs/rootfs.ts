import { effectiveUser } from "../linux/thread.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { Allowance } from "./allowance.ts";
import { Directories, impliedAttributes } from "./directories.ts";
import { Directory } from "./directory.ts";
import { Findings, type Reporter } from "./findings.ts";
import { Handles } from "./handles.ts";
import { LayerApplier } from "./layer-applier.ts";
import { Metadata } from "./metadata.ts";
import { Owners } from "./owners.ts";
import { Parents } from "./parents.ts";
import { Paths } from "./paths.ts";
import type { RootfsSettings, Site } from "./site.ts";
import { prepare } from "./surroundings.ts";
import { Tree } from "./tree.ts";
import { XattrFilter } from "./xattr-filter.ts";
import { Xattrs } from "./xattrs.ts";

/**
 * A root filesystem that layers are applied to, from the bottom up.
 *
 *     const rootfs = openRootfs(directory, settings, reporter);
 *     for (const layer of layers.keys()) {
 *       const applier = rootfs.beginLayer(layer);
 *       … applier.apply(entry, body) …
 *       applier.end();
 *     }
 *     rootfs.finish();
 *     rootfs.close();
 *
 * Everything is synchronous, so that it can run on a confined thread. After an error only `close` is of use.
 */
export class Rootfs {
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Begins a layer, counted from 0; the one before it must have ended. */
  beginLayer(layer: number): LayerApplier {
    return new LayerApplier(this.#site, layer);
  }

  /** Gives all directories, the root last, the attributes that they are to have. Nothing can be applied afterwards. */
  finish(): void {
    this.#site.directories.finish(this.#site.tree.root);
  }

  /** Closes every handle but the one that `openRootfs` was given. */
  close(): void {
    this.#site.tree.handles.close();
  }
}

/**
 * Makes an empty directory, of which nobody else knows yet, the root of a filesystem. `directory` is an open handle of
 * it; no other way leads there, and none leads out.
 */
export function openRootfs(directory: number, settings: RootfsSettings, reporter: Reporter): Rootfs {
  const { limits, sourceDateEpoch, strict, xattrInclude = [], xattrExclude = [] } = settings;
  const owner = settings.owner ?? (effectiveUser() === 0 ? "preserve" : "ignore");
  const findings = new Findings(reporter, strict);
  const surroundings = prepare(directory);
  const owners = new Owners(owner, surroundings, findings);
  const xattrs = new Xattrs(new XattrFilter({ include: xattrInclude, exclude: xattrExclude }), findings);
  const metadata = new Metadata(surroundings, owners, xattrs, findings);
  const implied = impliedAttributes({ seconds: sourceDateEpoch, nanoseconds: 0 });
  const root = new Directory(undefined, 0, implied, 0o700);
  const handles = new Handles(root, directory);
  const directories = new Directories({ handles, surroundings, owners, xattrs, metadata, findings, implied });
  const tree = new Tree(root, handles);
  const parents = new Parents();
  parents.set(byteStringOf(""), root, 0);
  return new Rootfs({
    settings,
    findings,
    surroundings,
    tree,
    parents,
    paths: new Paths(tree, findings, limits),
    owners,
    xattrs,
    metadata,
    directories,
    entries: new Allowance(limits, "entries", "entries"),
    copiedBytes: new Allowance(limits, "totalBytes", "bytes in copies of hard links"),
  });
}
