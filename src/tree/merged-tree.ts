import { type Memory, MemoryBudget } from "../base/memory-budget.ts";
import { CountedLimit } from "../layer/counted-limits.ts";
import { Directory, impliedAttributes, never } from "../layer/directory.ts";
import { Findings, type FindingsReporter } from "../layer/findings.ts";
import { LayerEntries } from "../layer/layer-entries.ts";
import { Parents } from "../layer/parents.ts";
import { Paths } from "../layer/paths.ts";
import { XattrFilter, XattrRules } from "../layer/xattr-rules.ts";
import { type KeepContent, TreeFiles, TreeHardlinks, TreeLookup, TreeWhiteouts } from "./tree-back-end.ts";
import type { InMemory, TreeDirectory } from "./tree-file.ts";
import { type TreeContext, TreeNodes, type TreeObserver, type TreeSettings } from "./tree-nodes.ts";

/**
 * What is below the first layer that a tree is given: nothing, or layers of which nothing is known. On unknown base,
 * whatever depends on it throws `Undetermined`; everything else is as it would be.
 */
export type TreeBase = "nothing" | "unknown";

/** What a tree is built on. */
export interface TreeBasis {
  /** Default: nothing. */
  readonly base?: TreeBase;
  /** Where what the tree takes is counted, if not in a budget of its own. */
  readonly memory?: Memory;
  /** A tree that layers are added to, of which everything is known. Default: what `base` says. */
  readonly root?: TreeDirectory;
}

/**
 * What the layers of an image make together, from the bottom up: names, types and attributes in memory, and of each
 * file where its data are.
 *
 *     const tree = new MergedTree(settings, reporter);
 *     for (const layer of layers.keys()) {
 *       const merge = tree.beginLayer(layer, keep);
 *       … merge.apply(entry, body) …
 *       merge.end();
 *     }
 *
 * It computes and touches nothing. The rules are those by which `rootfs/` makes files.
 */
export class MergedTree {
  readonly #context: TreeContext;

  constructor(
    settings: TreeSettings,
    reporter: FindingsReporter,
    { base = "nothing", memory = new MemoryBudget(settings.limits), root: given }: TreeBasis = {},
  ) {
    const { limits, strict, xattrInclude, xattrExclude } = settings;
    const findings = new Findings(reporter, strict);
    const implied = impliedAttributes(settings);
    const root =
      given ??
      new Directory<InMemory>(undefined, {
        layer: base === "nothing" ? 0 : never,
        attributes: implied,
        own: undefined,
        isOpen: base === "unknown",
      });
    const tree = new TreeLookup(root);
    this.#context = {
      settings,
      findings,
      tree,
      paths: new Paths(tree, findings, limits),
      parents: new Parents(),
      xattrs: new XattrRules(new XattrFilter({ include: xattrInclude, exclude: xattrExclude }), findings),
      implied,
      entries: new CountedLimit(limits, "entries", "entries"),
      memory,
    };
  }

  get root(): TreeDirectory {
    return this.#context.tree.root;
  }

  /**
   * Begins a layer, counted from 0; the one before it must have ended. `keep` is called for the data of each file, and
   * `observer` is told of each change.
   */
  beginLayer(layer: number, keep: KeepContent, observer?: TreeObserver): LayerEntries<InMemory> {
    const nodes = new TreeNodes(this.#context, layer, observer);
    return new LayerEntries(this.#context, layer, {
      directories: nodes,
      files: new TreeFiles(nodes, keep),
      hardlinks: new TreeHardlinks(this.#context, nodes),
      whiteouts: new TreeWhiteouts(nodes),
      end() {},
    });
  }
}
