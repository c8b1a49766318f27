import { parse, TomlError, type TomlTable, type TomlValue } from "smol-toml";
import { OciUnpackError } from "../base/errors.ts";

interface TomlFile {
  readonly path: string;
  readonly text: string;
}

/**
 * A table in a TOML file. Each method returns the value of a key as one type, or throws an error that names file and
 * key.
 *
 * Error messages never contain a value, because it may be a password, for example in a header in `hosts.toml`.
 */
export class Toml {
  readonly #file: TomlFile;
  /** The keys, and the indexes in lists, that lead to it. */
  readonly #keyPath: TomlKeyPath;
  readonly #table: TomlTable;

  private constructor(file: TomlFile, keyPath: TomlKeyPath, table: TomlTable) {
    this.#file = file;
    this.#keyPath = keyPath;
    this.#table = table;
  }

  static parse(path: string, text: string): Toml {
    try {
      return new Toml({ path, text }, [], parse(text));
    } catch (error) {
      // The parser's message is not used, because it quotes the lines around the mistake.
      const where = error instanceof TomlError ? `line ${error.line} is not TOML` : "it is not TOML";
      throw new OciUnpackError("CONFIGURATION", `cannot use "${path}": ${where}`);
    }
  }

  get keys(): readonly string[] {
    return Object.keys(this.#table);
  }

  string(key: string): string | undefined {
    const value = this.#value(key);
    return value === undefined || typeof value === "string" ? value : this.#mistyped(key, "a string");
  }

  boolean(key: string): boolean | undefined {
    const value = this.#value(key);
    return value === undefined || typeof value === "boolean" ? value : this.#mistyped(key, "true or false");
  }

  /** A list of strings; a single string is a list of one. */
  strings(key: string): readonly string[] | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    const list = Array.isArray(value) ? value : [value];
    return list.every((item) => typeof item === "string") ? list : this.#mistyped(key, "a list of strings");
  }

  /** A list whose items are strings, or lists of strings. */
  stringLists(key: string): readonly (readonly string[])[] | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    const lists = (Array.isArray(value) ? value : [value]).map((item) => (Array.isArray(item) ? item : [item]));
    const isValid = lists.every((list) => list.every((item) => typeof item === "string"));
    return isValid ? (lists as string[][]) : this.#mistyped(key, "a list of strings or of pairs");
  }

  /** A table in this table; an empty one if there is none. */
  table(key: string): Toml {
    const value = this.#value(key) ?? {};
    return isTable(value) ? this.#within([key], value) : this.#mistyped(key, "a table");
  }

  /** An array of tables, `[[key]]`. */
  tables(key: string): readonly Toml[] {
    const value = this.#value(key) ?? [];
    if (!Array.isArray(value)) return this.#mistyped(key, "a list of tables");
    return value.map((item, index) =>
      isTable(item) ? this.#within([key, index], item) : this.#mistyped(key, "a list of tables"),
    );
  }

  /** The error for a wrong value of a key, or for its absence. */
  invalid(key: string, found: string): OciUnpackError {
    const { path, text } = this.#file;
    const names = this.#keyPath.flatMap((each) => (typeof each === "string" ? [written(each)] : []));
    const line = tomlLine(text, [...this.#keyPath, key]);
    return new OciUnpackError(
      "CONFIGURATION",
      `cannot use "${path}": line ${line}: ${[...names, key].join(".")} ${found}`,
    );
  }

  #value(key: string): TomlValue | undefined {
    return Object.hasOwn(this.#table, key) ? this.#table[key] : undefined;
  }

  #within(keyPath: TomlKeyPath, table: TomlTable): Toml {
    return new Toml(this.#file, [...this.#keyPath, ...keyPath], table);
  }

  #mistyped(key: string, expected: string): never {
    throw this.invalid(key, `is not ${expected}`);
  }
}

/** A key as it is written in a file: `host`, `"https://mirror"`. */
function written(key: string): string {
  return /^[\w-]+$/.test(key) ? key : `"${key}"`;
}

function isTable(value: TomlValue): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);
}

/** The keys, and the indexes in lists, that lead to a value. */
export type TomlKeyPath = readonly (string | number)[];

/**
 * The line, counted from 1, on which a value in a TOML text begins. If its key is missing, the line of its table.
 *
 * The parser does not tell lines. So beginnings of the text are parsed, with a binary search for the last one that does
 * not have the value yet. A beginning that ends within a value of several lines is not valid TOML; then the next one is
 * used.
 */
export function tomlLine(text: string, keyPath: TomlKeyPath): number {
  const lines = text.split("\n");
  const beginning = (count: number) => parsed(`${lines.slice(0, count).join("\n")}\n`);
  let found = keyPath;
  while (!has(parsed(text), found)) found = found.slice(0, -1);
  let [without, within] = [0, lines.length];
  while (within - without > 1) {
    const middle = (without + within) >> 1;
    let next = middle;
    while (next < within && beginning(next) === undefined) next += 1;
    if (next < within && !has(beginning(next), found)) without = next;
    else within = middle;
  }
  return found.length === 0 ? 1 : within;
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function has(value: unknown, keyPath: TomlKeyPath): boolean {
  let current = value;
  for (const key of keyPath) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return false;
    current = Reflect.get(current, key);
  }
  return current !== undefined;
}
