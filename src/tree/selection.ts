import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import { type NamePattern, namePattern } from "./name-pattern.ts";

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
 * a name, `?` a character, `[a-z]` one of several, and `**` any number of names. A pattern without a slash before its last
 * name matches at the top only; a slash at either end means nothing.
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

/** The place of a name, and those behind it that a `**` leads to without any. At the end of a pattern it stands for one at least. */
function* from(place: number, names: readonly NamePattern[]): Iterable<number> {
  let last = place;
  while (names[last] === "any names" && last < names.length - 1) last += 1;
  for (let each = place; each <= last; each += 1) yield each;
}

function advanced(progress: Progress, name: ByteString): Progress {
  if (progress === "matched") return progress;
  const further: Position[] = [];
  for (const { names, next } of progress) {
    const reached: number[] = [];
    for (const place of next) {
      const pattern = names[place];
      if (pattern === undefined || (pattern !== "any names" && !pattern(name))) continue;
      if (place === names.length - 1) return "matched";
      reached.push(...from(pattern === "any names" ? place : place + 1, names));
    }
    // Many ways may lead to the same place: what counts is the place.
    if (reached.length > 0) further.push({ names, next: new Set(reached) });
  }
  return further.length === 0 ? never : further;
}

/** Whether nothing is left out. */
export function isWhole({ include, exclude = [] }: SelectionPatterns): boolean {
  return include === undefined && exclude.length === 0;
}
