import type { LayerContext } from "../layer/context.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { XattrRules } from "../layer/xattr-rules.ts";
import type { InMemory } from "./tree-file.ts";

/** How entries become a tree: as they become files, but for what depends on who unpacks. */
export type TreeSettings = Pick<
  RootfsSettings,
  "devices" | "keepDirlinks" | "sourceDateEpoch" | "strict" | "limits" | "xattrInclude" | "xattrExclude"
>;

/** A tree while layers are merged into it: what all layers work on, and work with. */
export interface TreeContext extends LayerContext<InMemory> {
  readonly xattrs: XattrRules;
}
