import { Directory } from "../layer/directory.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import { type NamePattern, namePattern } from "./name-pattern.ts";
import type { TreeDirectory } from "./tree-file.ts";

/** Which part of a tree is wanted: patterns for paths from the root. */
export interface SelectionPatterns {
  /** What is wanted, with all that is below it. Absent: everything. */
  readonly include?: readonly string[];
  /** What is not, with all that is below it, whatever `include` says. */
  readonly exclude?: readonly string[];
}

/** What is known of one path of a tree: whether it is wanted, and what that says of the names below it. */
export interface Selection {
  readonly isWanted: boolean;
  /** The same of a name in the directory that stands there. */
  below(name: ByteString): Selection;
}

/** All of a tree. */
export const everything: Selection = { isWanted: true, below: () => everything };

/** None of it. */
export const nothing: Selection = { isWanted: false, below: () => nothing };

/**
 * Tells what of a tree is wanted, from its root on down.
 *
 * Patterns are matched against whole paths in the merged tree, where links in the image have no say: `*` is any part of
 * a name, `?` a character, `[a-z]` one of several, and `**` any number of names. A pattern without a slash before its
 * last name matches at the top only; a slash at either end means nothing.
 *
 * A name is looked at once, whatever is above it: a path costs its names times the names of the patterns.
 */
export function selection({ include, exclude = [] }: SelectionPatterns): Selection {
  return within(include === undefined ? "matched" : begun(include), begun(exclude));
}

/** How far patterns have come after the names of a path; or that they match it, and with it all that is below it. */
type Progress = "matched" | readonly Position[];

/** The names of a pattern, and which of them may be the next. */
interface Position {
  readonly names: readonly NamePattern[];
  readonly next: ReadonlySet<number>;
}

const never: Progress = [];

function within(included: Progress, excluded: Progress): Selection {
  if (excluded === "matched" || isOver(included)) return nothing;
  if (included === "matched" && isOver(excluded)) return everything;
  return {
    isWanted: included === "matched",
    below: (name) => within(advanced(included, name), advanced(excluded, name)),
  };
}

/** Whether no pattern can match what is below. */
function isOver(progress: Progress): boolean {
  return progress !== "matched" && progress.length === 0;
}

function begun(patterns: readonly string[]): Progress {
  return patterns.map((pattern) => {
    const texts = byteStringOf(pattern).split("/") as ByteString[];
    const names = texts.filter((text) => text !== "" && text !== ".").map(namePattern);
    return { names, next: new Set(from(0, names)) };
  });
}

/**
 * The index of a name, and those behind it that a `**` leads to without any. At the end of a pattern it stands for one
 * at least.
 */
function* from(index: number, names: readonly NamePattern[]): Iterable<number> {
  let last = index;
  while (names[last] === "any names" && last < names.length - 1) last += 1;
  for (let each = index; each <= last; each += 1) yield each;
}

function advanced(progress: Progress, name: ByteString): Progress {
  if (progress === "matched") return progress;
  const further: Position[] = [];
  for (const { names, next } of progress) {
    const reached: number[] = [];
    for (const index of next) {
      const pattern = names[index];
      if (pattern === undefined || (pattern !== "any names" && !pattern(name))) continue;
      if (index === names.length - 1) return "matched";
      reached.push(...from(pattern === "any names" ? index : index + 1, names));
    }
    // Several patterns of names may reach the same position: it counts once.
    if (reached.length > 0) further.push({ names, next: new Set(reached) });
  }
  return further.length === 0 ? never : further;
}

/** Whether nothing is left out. */
export function isWhole({ include, exclude = [] }: SelectionPatterns): boolean {
  return include === undefined && exclude.length === 0;
}

/** Takes out of a tree what is not wanted. The directories that lead to what is wanted stay. */
export function keepWanted(root: TreeDirectory, wanted: Selection): void {
  const pending = [{ directory: root, selection: wanted }];
  /** Directories that are not wanted themselves, each before those that are in it. */
  const leading: TreeDirectory[] = [];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { directory, selection } = next;
    for (const [name, child] of directory.children()) {
      const below = selection.below(name);
      if (child instanceof Directory && below !== everything) pending.push({ directory: child, selection: below });
      if (below.isWanted) continue;
      if (child instanceof Directory) leading.push(child);
      else directory.delete(name);
    }
  }
  for (const { parent, name, isEmpty } of leading.reverse()) if (isEmpty) parent?.delete(name);
}

/**
 * The patterns that match nothing in a tree. Each costs a walk over the tree at most, which ends at its first match.
 */
export function unmatchedPatterns(root: TreeDirectory, { include = [], exclude = [] }: SelectionPatterns): string[] {
  return [...include, ...exclude].filter((pattern) => !matchesAnything(root, pattern));
}

function matchesAnything(root: TreeDirectory, pattern: string): boolean {
  const pending = [{ directory: root, selection: selection({ include: [pattern] }) }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const [name, child] of next.directory.children()) {
      const below = next.selection.below(name);
      if (below.isWanted) return true;
      if (below !== nothing && child instanceof Directory) pending.push({ directory: child, selection: below });
    }
  }
  return false;
}
