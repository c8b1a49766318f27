import type { Defence } from "./defence.ts";

/** What keeps the work on merged trees and on layers of overlays in proportion to the image. */
export const treeDefences: readonly Defence[] = [
  {
    group: "H",
    what: "patterns are matched in one pass over a path's names",
    file: "src/tree/selection.ts",
    without: ["next: new Set(reached)", "next: reached"],
    test: ["tree/selection", "a path of thousands of names is matched without trying all ways"],
  },
];
