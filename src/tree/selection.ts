import { Directory } from "../layer/directory.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { TreeDirectory } from "./tree-file.ts";

/** Which part of a tree is wanted: patterns for paths from the root. */
export interface SelectionPatterns {
  /** What is wanted, with all that is below it. Absent: everything. */
  readonly include?: readonly string[];
  /** What is not, with all that is below it, whatever `include` says. */
  readonly exclude?: readonly string[];
  /** Paths of files that were added to the tree: `include` wants them, too, where links on the way lead. */
  readonly added?: readonly string[];
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
 *
 * `places` are paths that are wanted besides what `include` says.
 */
export function selection({ include, exclude = [] }: SelectionPatterns, places: readonly ByteString[] = []): Selection {
  return within(include === undefined ? "matched" : [...begun(include), ...places.map(literal)], begun(exclude));
}

/** What is wanted of a path and of what is below it. */
export function selectionAt(whole: Selection, path: ByteString): Selection {
  return (path.split("/") as ByteString[]).reduce((above, name) => above.below(name), whole);
}

/** Whether nothing is wanted below a path either. */
export function isNothing(selected: Selection): boolean {
  return selected === nothing;
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

/** What matches one path alone. */
function literal(path: ByteString): Position {
  const names = path.split("/").map(
    (expected): NamePattern =>
      (name) =>
        name === expected,
  );
  return { names, next: new Set([0]) };
}

function begun(patterns: readonly string[]): readonly Position[] {
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

/** Whether a name matches a part of a pattern between two slashes; or `**`, which stands for any number of names. */
type NamePattern = "any names" | ((name: ByteString) => boolean);

/** What a pattern has for one character of a name, or for any number of them. */
type Part = "any characters" | ((character: string) => boolean);

/**
 * Reads a part of a pattern: `*`, `?` and `[…]` as in a shell.
 *
 * A name never takes more steps than its length times the pattern's: only the last `*` is tried again.
 */
function namePattern(text: ByteString): NamePattern {
  if (text === "**") return "any names";
  const parts = [...partsOf(text)];
  return (name) => matches(name, parts);
}

function matches(name: ByteString, parts: readonly Part[]): boolean {
  let part = 0;
  /** Where to go on if what follows the last `*` turns out not to match: behind it, one character later than before. */
  let retry: { readonly part: number; at: number } | undefined;
  for (let at = 0; at < name.length || part < parts.length; ) {
    const expected = parts[part];
    if (expected === "any characters") {
      part += 1;
      retry = { part, at };
    } else if (at < name.length && expected?.(name.charAt(at)) === true) {
      part += 1;
      at += 1;
    } else {
      if (retry === undefined || retry.at === name.length) return false;
      retry.at += 1;
      part = retry.part;
      at = retry.at;
    }
  }
  return true;
}

/** A bracket that nothing closes is itself. */
function* partsOf(text: ByteString): Iterable<Part> {
  for (let at = 0; at < text.length; ) {
    const character = text.charAt(at);
    const end = character === "[" ? endOfSet(text, at) : -1;
    if (end >= 0) yield oneOf(text.slice(at + 1, end));
    else if (character === "*") yield "any characters";
    else if (character === "?") yield () => true;
    else yield (each) => each === character;
    at = (end < 0 ? at : end) + 1;
  }
}

/** Where the `]` of a set is that begins at a `[`. One at the very beginning of the set belongs to it. */
function endOfSet(text: ByteString, start: number): number {
  const first = start + (isNegation(text.charAt(start + 1)) ? 2 : 1);
  return text.indexOf("]", first + 1);
}

/** `[!a]` and `[^a]` are any character but a. */
function oneOf(set: string): (character: string) => boolean {
  const isOther = isNegation(set.charAt(0));
  const members = [...membersOf(isOther ? set.slice(1) : set)];
  return (character) => members.some(([first, last]) => character >= first && character <= last) !== isOther;
}

/** The ranges of a set; a `-` at either end is itself. */
function* membersOf(set: string): Iterable<readonly [first: string, last: string]> {
  for (let at = 0; at < set.length; ) {
    const isRange = set.charAt(at + 1) === "-" && at + 2 < set.length;
    yield [set.charAt(at), set.charAt(isRange ? at + 2 : at)];
    at += isRange ? 3 : 1;
  }
}

function isNegation(character: string): boolean {
  return character === "!" || character === "^";
}
