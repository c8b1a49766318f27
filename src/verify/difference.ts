/** What may be different of a file. `links`: which names are the same file. */
export type DifferentPart =
  | "type"
  | "mode"
  | "owner"
  | "time"
  | "size"
  | "content"
  | "target"
  | "device"
  | "xattrs"
  | "links";

/** Where a directory is not what an image says. Paths are from the root, U+FFFD standing for bytes that are not UTF-8. */
export type Difference =
  /** In the directory and not in the image, with all that is below it; or the other way round. */
  | { readonly kind: "added" | "missing"; readonly path: string }
  | { readonly kind: "changed"; readonly path: string; readonly parts: readonly DifferentPart[] }
  /** This user may not read it, so that nobody can tell. */
  | { readonly kind: "unreadable"; readonly path: string };
