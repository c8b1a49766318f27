import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { repositoryFile } from "../support/repository.ts";

/** A regular expression where it stands. */
interface Found {
  /** `src/tar/acl.ts:54` */
  readonly where: string;
  readonly pattern: string;
  readonly flags: string;
  /** Whether the lines right above, or its own, have a sentence that begins with "Linear:". */
  readonly isExplained: boolean;
}

test("every regular expression of the source is found", () => {
  const found = regularExpressions();
  assert.ok(found.length > 40, `${found.length}`);
  for (const { pattern, flags, where } of found) assert.doesNotThrow(() => new RegExp(pattern, flags), where);
});

test("a regular expression cannot take more than linear time by its form, or a sentence beside it says why it does not", () => {
  const unexplained = regularExpressions().filter(
    ({ pattern, flags, isExplained }) => !isPlainlyLinear(pattern, flags) && !isExplained,
  );
  assert.deepEqual(
    unexplained.map(({ where, pattern, flags }) => `${where}: /${pattern}/${flags}`),
    [],
  );
});

test("a regular expression that is put together at run time has such a sentence, whatever its form", () => {
  const made = sourceLines()
    .filter(({ line }) => /\bRegExp\(/.test(line))
    .filter((place) => !isExplained(place));
  assert.deepEqual(
    made.map(({ where }) => where),
    [],
  );
});

test("forms that take quadratic or exponential time are told from those that do not", () => {
  const slow = ["#.*$", "a+b", "^(a+)+$", "^(?:a|a)*$", "^a*a*$", "x|^\\s+y", "\\s+$", "^(?:a{1,9}){1,9}$", "a(?=b*c)"];
  assert.deepEqual(
    slow.filter((pattern) => isPlainlyLinear(pattern, "")),
    [],
  );
  const fast = ["^[*+]+$", "\\+\\*", "#.*", "\\s+", "^\\d{1,10}$", "^a[^/]*(?:b)?c$", "^(?:user|group):"];
  assert.deepEqual(
    fast.filter((pattern) => !isPlainlyLinear(pattern, "")),
    [],
  );
});

/**
 * Whether nothing in a pattern can be tried in more than a few ways at a place: no group is repeated, at most one item
 * is repeated without end, and that either begins at one place only (`^`, sticky) or ends the pattern, where it cannot fail.
 */
function isPlainlyLinear(pattern: string, flags: string): boolean {
  // Each escape and each class becomes one letter: what is left of the signs has its meaning.
  const form = pattern.replace(/\\.|\[(?:\\.|[^\]\\])*\]/g, "x").replace(/\(\?(?:[:=!]|<[=!]|<\w+>)/g, "(");
  if (/\)[*+{]/.test(form)) return false;
  const endless = [...form.matchAll(/[*+]|\{\d+,\}/g)];
  const [only] = endless;
  if (only === undefined) return true;
  if (endless.length > 1 || outsideGroups(form).includes("|")) return false;
  return form.startsWith("^") || flags.includes("y") || only.index + only[0].length === form.length;
}

function outsideGroups(form: string): string {
  const shorter = form.replace(/\([^()]*\)/g, "x");
  return shorter === form ? form : outsideGroups(shorter);
}

interface Place {
  readonly where: string;
  readonly line: string;
  readonly linesAbove: readonly string[];
}

function sourceLines(): readonly Place[] {
  const root = fileURLToPath(repositoryFile("src"));
  const names = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .filter((name) => !name.startsWith("configuration/")); // the user's own files
  return names.sort().flatMap((name) => {
    const lines = readFileSync(join(root, name), "utf8").split("\n");
    return lines.flatMap((line, index) => {
      if (/^\s*(?:\/\/|\/?\*)/.test(line)) return [];
      return [{ where: `src/${name}:${index + 1}`, line, linesAbove: lines.slice(Math.max(0, index - 4), index) }];
    });
  });
}

/** A slash begins a regular expression where no value stands before it to be divided. */
const literal =
  /(?:[([!]|[=:?,&|>{] |\breturn |^\s*)\/(?![*/])((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[])+)\/([dgimsuvy]*)(?=\s*(?:[.,;:)\]}?&|]|$))/g;

function regularExpressions(): readonly Found[] {
  return sourceLines().flatMap((place) =>
    [...place.line.matchAll(literal)].map(([, pattern = "", flags = ""]) => {
      return { where: place.where, pattern, flags, isExplained: isExplained(place) };
    }),
  );
}

function isExplained({ line, linesAbove }: Place): boolean {
  return [line, ...linesAbove].some((text) => text.includes("Linear:"));
}
