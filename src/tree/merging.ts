import type { Memory } from "../base/memory-budget.ts";
import type { Allowance } from "../layer/allowance.ts";
import type { Attributes } from "../layer/attributes.ts";
import type { Findings } from "../layer/findings.ts";
import type { Paths } from "../layer/paths.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { TreeDirectory } from "./tree-file.ts";
import type { TreeWays } from "./ways.ts";
import type { Xattrs } from "./xattrs.ts";

/** How entries become a tree: as they become files, but for what depends on who unpacks. */
export type TreeSettings = Pick<
  RootfsSettings,
  "devices" | "keepDirlinks" | "sourceDateEpoch" | "strict" | "limits" | "xattrInclude" | "xattrExclude"
>;

/** A tree while layers are merged into it: what all layers work on, and work with. */
export interface Merging {
  readonly settings: TreeSettings;
  readonly findings: Findings;
  readonly tree: TreeWays;
  readonly paths: Paths<TreeDirectory>;
  readonly xattrs: Xattrs;
  /** What a directory has that no layer describes (rules T18, T19). */
  readonly implied: Attributes;
  readonly entries: Allowance;
  /** What the tree takes in memory. */
  readonly memory: Memory;
}
