import type { DifferentPart } from "../base/option-words.ts";
import type { ListedEntry } from "../tree/listed-entry.ts";
import type { NamedPath } from "../tree/named-path.ts";

/** What one of two images has at a path, as `list` has it. */
export interface ComparedEntry extends Omit<ListedEntry, "path" | "pathBase64" | "sameFileAs"> {
  /**
   * The instruction that made its layer, as the history of the image tells; of one that is longer than 4,096 characters
   * the beginning, with `…`. Absent where the history tells of another number of layers.
   */
  readonly createdBy?: string;
}

/**
 * A difference between two images: what only one of them has at a path, or what is not the same in both. `.` is the
 * root.
 */
export type ImageDifference =
  | (NamedPath & { readonly kind: "added"; readonly second: ComparedEntry })
  | (NamedPath & { readonly kind: "removed"; readonly first: ComparedEntry })
  | (NamedPath & {
      readonly kind: "changed";
      /** Where the type differs, that alone. */
      readonly parts: readonly DifferentPart[];
      readonly first: ComparedEntry;
      readonly second: ComparedEntry;
    });
