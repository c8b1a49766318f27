import { parse } from "smol-toml";

/** The keys that lead to a value, and in lists its place. */
export type TomlPlace = readonly (string | number)[];

/**
 * The line, counted from 1, on which a text in TOML begins to say what is at a place: of a key that it lacks, where the
 * table begins that lacks it.
 *
 * The parser tells no lines. So the beginnings of the text are parsed, halving what remains, until the last one is found
 * that does not have the place yet. One that ends within a value of several lines is no TOML; then it is the next that counts.
 */
export function tomlLine(text: string, place: TomlPlace): number {
  const lines = text.split("\n");
  const beginning = (count: number) => parsed(`${lines.slice(0, count).join("\n")}\n`);
  let found = place;
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

function has(value: unknown, place: TomlPlace): boolean {
  let current = value;
  for (const key of place) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return false;
    current = Reflect.get(current, key);
  }
  return current !== undefined;
}
