import type { ByteString } from "../tar/byte-string.ts";

/** Whether a name matches a part of a pattern between two slashes; or `**`, which stands for any number of names. */
export type NamePattern = "any names" | ((name: ByteString) => boolean);

/** What a pattern has for one character of a name, or for any number of them. */
type Part = "any characters" | ((character: string) => boolean);

/**
 * Reads a part of a pattern: `*`, `?` and `[…]` as in a shell.
 *
 * A name never takes more steps than its length times the pattern's: only the last `*` is tried again.
 */
export function namePattern(text: ByteString): NamePattern {
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
