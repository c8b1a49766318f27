import type { DifferentPart } from "../base/option-words.ts";

/**
 * A difference between a directory and an image. Paths are from the root; U+FFFD stands for bytes that are not UTF-8.
 */
export type Difference =
  /** Something is only in the directory, or only in the image, with all that is below it. */
  | { readonly kind: "added" | "missing"; readonly path: string }
  | { readonly kind: "changed"; readonly path: string; readonly parts: readonly DifferentPart[] }
  /** This user may not read it, so it cannot be compared. */
  | { readonly kind: "unreadable"; readonly path: string };
