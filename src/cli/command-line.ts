import { type ParseArgsConfig, parseArgs } from "node:util";
import { present } from "../base/present.ts";
import { suggestion } from "../base/suggestion.ts";
import { commandNames } from "./command-table.ts";
import type { OptionSpec, OptionTable, ValueKind } from "./option-spec.ts";
import { UsageError } from "./usage-error.ts";

type Value<Spec extends OptionSpec> = Spec extends { readonly value: infer Kind }
  ? Kind extends readonly (infer Word)[]
    ? Word
    : Spec extends { readonly multiple: true }
      ? readonly string[]
      : string
  : true;

/** A parsed command line. Options that were not given are absent. */
export interface CommandLine<Table extends OptionTable> {
  readonly values: { readonly [Name in keyof Table]?: Value<Table[Name]> };
  readonly positionals: readonly string[];
}

/**
 * Parses arguments by a table of options. Throws a `UsageError` for an unknown option, and for a value that is missing
 * or not expected. `refuse` may throw what is more likely wrong than an option that is unknown, by the first word.
 *
 * `parseArgs` only splits the arguments: its own error messages make no suggestions.
 */
export function parseCommandLine<const Table extends OptionTable>(
  table: Table,
  args: readonly string[],
  refuse: (word: string | undefined) => void = () => {},
): CommandLine<Table> {
  const values: Record<string, true | string | string[]> = {};
  const positionals: string[] = [];
  const { tokens } = parseArgs({ args: [...args], options: nodeOptions(table), strict: false, tokens: true });

  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const spec = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (spec === undefined) {
      refuse(positionals[0]);
      throw unknownOption(token.rawName, table);
    }
    const value = spec.value === undefined ? withoutValue(token) : withValue(token, spec.value);
    const earlier = values[token.name];
    values[token.name] =
      spec.multiple !== true || value === true ? value : Array.isArray(earlier) ? [...earlier, value] : [value];
  }
  return { values: values as CommandLine<Table>["values"], positionals };
}

/** A table as Node's parser wants it. */
function nodeOptions(table: OptionTable): NonNullable<ParseArgsConfig["options"]> {
  return Object.fromEntries(
    Object.entries(table).map(([name, { value, short }]) => {
      return [name, present({ type: value === undefined ? "boolean" : "string", short } as const)];
    }),
  );
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function unknownOption(rawName: string, table: OptionTable): UsageError {
  const names = Object.keys(table).map((name) => `--${name}`);
  const begun = rawName.length > 3 ? names.filter((name) => name.startsWith(rawName)) : [];
  const renamed = Object.keys(table).find((name) => table[name]?.formerly === rawName.slice(2));
  const meant = renamed !== undefined ? `--${renamed}` : begun.length === 1 ? begun[0] : suggestion(rawName, names);
  return new UsageError(
    `cannot read the command line: unknown option "${rawName}"`,
    meant === undefined ? undefined : `did you mean ${meant}?`,
  );
}

function withoutValue(token: OptionToken): true {
  if (token.value === undefined) return true;
  throw new UsageError(
    `cannot read the command line: ${token.rawName} takes no value, found "${token.value}"`,
    `write ${token.rawName} alone`,
  );
}

/**
 * The value of an option. One that looks like an option has to be attached with `=`: more often the value was
 * forgotten.
 */
function withValue(token: OptionToken, kind: ValueKind): string {
  const { rawName, value } = token;
  if (value === undefined || value === "" || (token.inlineValue === false && /^-./.test(value))) {
    throw new UsageError(`cannot read the command line: ${rawName} needs a value`);
  }
  return isWords(kind) ? oneOf(rawName, value, kind) : value;
}

/** Whether values of a kind are words. `Array.isArray` does not tell of arrays that are read-only. */
export function isWords(kind: ValueKind): kind is readonly string[] {
  return Array.isArray(kind);
}

/** Checks that a value is one of these words. */
export function oneOf<const Word extends string>(option: string, value: string, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === value);
  if (word !== undefined) return word;
  const meant = suggestion(value, words);
  throw new UsageError(
    `cannot read the command line: ${option} is one of ${words.join(", ")}, found "${value}"`,
    meant === undefined ? undefined : `did you mean ${option} ${meant}?`,
  );
}

/** All words that can be the first one of a command line. */
const firstWords = [...commandNames, "pull", "version", "help"] as const;

/** The names of other tools for these commands. */
const guesses: Readonly<Record<string, string>> = {
  list: "ls",
  info: "inspect",
  extract: "unpack",
  check: "verify",
  compare: "diff",
  update: "sync",
  repair: "sync",
};

/** Well-known images whose names are as similar to a command as a misspelling. */
const imagesNamedAlike: readonly string[] = ["storm"];

/**
 * Refuses a command after options: `oci-unpack -q ls IMAGE` would unpack an image called `ls`. After `--` it is an
 * image.
 */
export function refuseMisplacedCommand(image: string | undefined, args: readonly string[]): void {
  if (!firstWords.some((word) => word === image) || args.includes("--")) return;
  throw new UsageError(
    `cannot unpack "${image}": a command's name comes before its options`,
    `write oci-unpack ${image} …, or docker.io/library/${image} for an image of that name`,
  );
}

/** Refuses a first word that is most likely a misspelt command, before it is used as the name of an image. */
export function refuseMisspeltCommand(word: string | undefined): void {
  if (word === undefined || !/^[a-z]+$/i.test(word) || imagesNamedAlike.includes(word)) return;
  const meant = (Object.hasOwn(guesses, word) ? guesses[word] : undefined) ?? suggestion(word, firstWords);
  if (meant === undefined) return;
  throw new UsageError(
    `cannot unpack "${word}": it looks like a misspelt command`,
    `did you mean oci-unpack ${meant}? an image of that name is docker.io/library/${word.toLowerCase()}`,
  );
}
