import { type ByteString, byteStringOf } from "../tar/byte-string.ts";

/** Which part of a tree is wanted: patterns for paths from the root. */
export interface SelectionPatterns {
  /** What is wanted, with all that is below it. Absent: everything. */
  readonly include?: readonly string[];
  /** What is not, with all that is below it, whatever `include` says. */
  readonly exclude?: readonly string[];
}

/**
 * Tells what of a tree is wanted.
 *
 * Patterns are matched against whole paths in the merged tree, where links in the image have no say: `*` is any part of
 * a name, `?` a character, `[a-z]` one of several, and `**` any number of names. A pattern without a slash before its last
 * name matches at the top only; a slash at either end means nothing.
 */
export function selection({ include, exclude = [] }: SelectionPatterns): (path: ByteString) => boolean {
  const included = include?.map(matcher);
  const excluded = exclude.map(matcher);
  return (path) => {
    const isIncluded = included === undefined || included.some((matches) => matches.test(path));
    return isIncluded && !excluded.some((matches) => matches.test(path));
  };
}

/** What matches a directory matches all that is in it. */
function matcher(pattern: string): RegExp {
  const names = byteStringOf(pattern)
    .split("/")
    .filter((name) => name !== "" && name !== ".");
  const parts = names.map((name, index) => {
    if (name !== "**") return nameExpression(name) + (index < names.length - 1 ? "/" : "");
    return index < names.length - 1 ? "(?:[^/]+/)*" : "[\\s\\S]+";
  });
  return new RegExp(`^${parts.join("")}(?:/[\\s\\S]*)?$`);
}

/** `[!a]` and `[^a]` are any character but a, as in a shell. A bracket that nothing closes is itself. */
function nameExpression(name: string): string {
  return name.replace(/\[([!^]?)(\]?[^\]]*)\]|[\s\S]/g, (token, not: string | undefined, set: string | undefined) => {
    if (token === "*" || token === "**") return "[^/]*";
    if (token === "?") return "[^/]";
    if (set !== undefined && set !== "") return `[${not ? "^/" : ""}${set.replace(/[\\\]^[]/g, "\\$&")}]`;
    return token.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  });
}
