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
  {
    group: "H",
    what: "layers that leave a question open are merged again as often as costs little",
    file: "src/look/layers-so-far.ts",
    without: [" && this.#attemptBytes <= freeAttemptBytes + attemptShare * this.#readBytes", ""],
    test: ["look/layers-so-far", "layers that seem to have what is missing, and never do"],
  },
  {
    group: "H",
    what: "what layers below an overlay's layer have is hidden once",
    file: "src/overlay/recorded-whiteouts.ts",
    without: ["if (directory.clearedIn === layer) continue;", ""],
    test: ["overlay/growth", "what layers below have at the root is listed once"],
  },
];
