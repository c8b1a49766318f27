import type { Limits } from "../base/limits.ts";
import type { Memory } from "../base/memory-budget.ts";
import type { Allowance } from "./allowance.ts";
import type { BackEndTypes, Directory } from "./directory.ts";
import type { Findings } from "./findings.ts";
import type { Paths } from "./paths.ts";
import type { LayerTree } from "./walk.ts";

/** What all layers that are applied to a tree share, whatever holds it. */
export interface LayerContext<Types extends BackEndTypes> {
  readonly settings: { readonly keepDirlinks: boolean; readonly limits: Limits };
  readonly findings: Findings;
  readonly tree: LayerTree<Directory<Types>>;
  readonly paths: Paths<Directory<Types>>;
  /** How many entries may still be applied. */
  readonly entries: Allowance;
  /** Where what is remembered is counted. */
  readonly memory: Memory;
}
