import { fileURLToPath } from "node:url";
import { OciUnpackError } from "./errors.ts";

/** What a value has to be, in words, and whether one is. */
type Kind = readonly [words: string, isOne: (value: unknown) => boolean];

/** The options of a call, each with what it has to be. The compiler insists that none is missing, and that there is no other. */
export type Kinds<Options> = { readonly [Name in keyof Options]-?: Kind };

const isObject = (value: unknown) => typeof value === "object" && value !== null;
const isText = (value: unknown): value is string => typeof value === "string";
const isListOf = (isItem: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(isItem);

export const boolean: Kind = ["true or false", (value) => typeof value === "boolean"];
export const text: Kind = ["a string", isText];
export const texts: Kind = ["a list of strings", isListOf(isText)];
export const count: Kind = ["a whole number from 0 on", (value) => Number.isSafeInteger(value) && Number(value) >= 0];
export const callback: Kind = ["a function", (value) => typeof value === "function"];
export const signal: Kind = ["an AbortSignal", (value) => value instanceof AbortSignal];
export const object: Kind = ["an object", isObject];
export const objects: Kind = ["a list of objects", isListOf(isObject)];
export const path: Kind = ["a path or a file: URL", (value) => pathIn(value) !== undefined];
export const stream: Kind = [
  "a path, a file: URL or a stream",
  (value) => pathIn(value) !== undefined || (isObject(value) && typeof Object(value).write === "function"),
];

/** What may be one of several things. */
export function either(...kinds: readonly Kind[]): Kind {
  const words = kinds.map(([each]) => each).join(" or ");
  return [words, (value) => kinds.some(([, isOne]) => isOne(value))];
}

/** One of a few words. */
export function word(...words: readonly string[]): Kind {
  return [`one of ${words.join(", ")}`, (value) => isText(value) && words.includes(value)];
}

/**
 * Checks what a caller passed, who may not use TypeScript: that there are such options, and that each is what it has to be.
 *
 * @throws OciUnpackError with `INVALID_OPTION`, which names the option.
 */
export function checkOptions(options: unknown, kinds: Readonly<Record<string, Kind>>): void {
  if (!isObject(options) || Array.isArray(options)) throw invalid("options", options, "an object");
  for (const [name, value] of Object.entries(Object(options))) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      throw new OciUnpackError(
        "INVALID_OPTION",
        `cannot use the option ${name.slice(0, 100)}: there is no such option`,
      );
    }
    if (value !== undefined) check(name, value, kind);
  }
}

/** The same for one value that must not be missing. */
export function check(name: string, value: unknown, [words, isOne]: Kind): void {
  if (!isOne(value)) throw invalid(name, value, words);
}

/** The path of a file or a directory that a caller named, maybe by a URL. Throws `INVALID_OPTION`. */
export function pathOf(name: string, value: string | URL): string {
  const found = pathIn(value);
  if (found === undefined) throw invalid(name, value, path[0]);
  return found;
}

/** The same for a destination, which may be a stream. */
export function pathOrStream<Stream>(name: string, value: string | URL | Stream): string | Stream {
  check(name, value, stream);
  return isText(value) || value instanceof URL ? pathOf(name, value) : value;
}

function pathIn(value: unknown): string | undefined {
  if (isText(value)) return value === "" || value.includes("\0") ? undefined : value;
  if (!(value instanceof URL) || value.protocol !== "file:") return undefined;
  try {
    return pathIn(fileURLToPath(value));
  } catch {
    return undefined; // it names another machine, or has an encoded slash
  }
}

function invalid(name: string, value: unknown, words: string): OciUnpackError {
  const shown = isText(value) || value instanceof URL ? JSON.stringify(String(value).slice(0, 200)) : kindOf(value);
  return new OciUnpackError("INVALID_OPTION", `cannot use the option ${name}: ${shown} is not ${words}`);
}

/** A value for people: what an object has may be secret. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "this list";
  if (typeof value === "object" && value !== null) return "this object";
  return typeof value === "function" ? "a function" : String(value);
}
