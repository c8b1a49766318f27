import { isOciUnpackError } from "../base/errors.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import { find } from "./find.ts";
import { type Selection, type SelectionPatterns, selection } from "./selection.ts";
import type { TreeDirectory } from "./tree-file.ts";

/** Tells what of a finished tree is wanted. Files that were added are, where links on the way have led them. */
export function selectionIn(root: TreeDirectory, patterns: SelectionPatterns): Selection {
  return selection(
    patterns,
    (patterns.added ?? []).map((path) => placeOf(root, byteStringOf(path))),
  );
}

/** Where an added file lies; or the path itself where another one has taken its place. */
function placeOf(root: TreeDirectory, path: ByteString): ByteString {
  try {
    return find(root, path, false).path;
  } catch (error) {
    if (!isOciUnpackError(error, "NOT_FOUND")) throw error;
    return path;
  }
}
