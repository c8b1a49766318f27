import type { Memory } from "../base/memory-budget.ts";
import type { Attributes } from "./attributes.ts";
import type { CountedLimit } from "./counted-limits.ts";
import type { BackEndTypes, Directory } from "./directory.ts";
import type { Findings } from "./findings.ts";
import type { Parents } from "./parents.ts";
import type { Paths } from "./paths.ts";
import type { RootfsSettings } from "./settings.ts";
import type { LayerTree } from "./walk.ts";

/** What all layers that are applied to a tree share, whatever holds it. */
export interface LayerContext<Types extends BackEndTypes> {
  readonly settings: Pick<RootfsSettings, "devices" | "keepDirlinks" | "limits">;
  readonly findings: Findings;
  readonly tree: LayerTree<Directory<Types>>;
  readonly paths: Paths<Directory<Types>>;
  /** Where the parents of recent entries are, if that is remembered. */
  readonly parents?: Parents<Types>;
  /** What a directory has that no layer describes. */
  readonly implied: Attributes;
  /** How many entries may still be applied. */
  readonly entries: CountedLimit;
  /** Where what is remembered is counted. */
  readonly memory: Memory;
}
