import { fileURLToPath } from "node:url";
import { isOciUnpackError, OciUnpackError, retold } from "./errors.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { present } from "./present.ts";
import { suggestion } from "./suggestion.ts";

/** What the value of an option has to be. */
export interface Kind {
  /** How an error message says it: the end of `"yes" is not true or false`. */
  readonly words: string;
  readonly isOne: (value: unknown) => boolean;
  /** Checks the members of a value. Throws `INVALID_OPTION`, which names the member. */
  readonly checkInside?: (name: string, value: unknown) => void;
  /** Whether error messages must not repeat the value. */
  readonly isSecret?: boolean;
}

/** What each option of a call has to be. The compiler refuses a table that lacks an option or has one too many. */
export type Kinds<Options> = { readonly [Name in keyof Options]-?: Kind };

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
const isText = (value: unknown): value is string => typeof value === "string";
const isListOf = (isItem: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(isItem);
const isWhole = (value: unknown) => Number.isSafeInteger(value);
const has = (value: unknown, method: string | symbol) =>
  isObject(value) && typeof Reflect.get(value, method) === "function";

export const boolean: Kind = { words: "true or false", isOne: (value) => typeof value === "boolean" };
export const text: Kind = { words: "a string", isOne: isText };
export const texts: Kind = { words: "a list of strings", isOne: isListOf(isText) };
export const count: Kind = {
  words: "a whole number from 0 on",
  isOne: (value) => isWhole(value) && Number(value) >= 0,
};
export const positive: Kind = {
  words: "a whole number from 1 on",
  isOne: (value) => isWhole(value) && Number(value) > 0,
};
export const callback: Kind = { words: "a function", isOne: (value) => typeof value === "function" };
export const signal: Kind = { words: "an AbortSignal", isOne: (value) => value instanceof AbortSignal };
/** A promise of options has none of them: nobody would notice that all are the defaults. */
export const object: Kind = {
  words: "an object",
  isOne: (value) => isObject(value) && !Array.isArray(value) && !has(value, "then"),
};
export const path: Kind = { words: "a path or a file: URL", isOne: (value) => pathIn(value) !== undefined };
export const paths: Kind = {
  words: "a list of paths or file: URLs",
  isOne: isListOf((value) => pathIn(value) !== undefined),
};
export const bytes: Kind = {
  words: "a stream, or another async iterable of bytes",
  isOne: (value) => has(value, Symbol.asyncIterator),
};
const writable: Kind = { words: "a stream to write to", isOne: (value) => has(value, "write") && has(value, "once") };
const pathOrWritable: Kind = {
  words: "a path, a file: URL or a stream",
  isOne: (value) => path.isOne(value) || writable.isOne(value),
};
export const source: Kind = {
  words: "a source, as `registrySource()` gives one",
  isOne: (value) => has(value, "image"),
};
/** What a source of the caller's own gives. */
export const imageSource: Kind = {
  words: "an image, with `name`, `manifest()` and `blob()`",
  isOne: (value) => has(value, "manifest") && has(value, "blob") && isText(Reflect.get(Object(value), "name")),
};
export const sourceDocument: Kind = {
  words: "a document, with `mediaType` and `bytes`",
  isOne: (value) =>
    isObject(value) && isText(Reflect.get(value, "mediaType")) && Reflect.get(value, "bytes") instanceof Uint8Array,
};
/** A proxy's may have a password. */
export const urlObject: Kind = {
  words: "a URL object, or undefined",
  isOne: (value) => value instanceof URL,
  isSecret: true,
};
export const promise: Kind = { words: "a promise of one", isOne: (value) => has(value, "then") };
export const store: Kind = {
  words: "a store, as `store()` gives one",
  isOne: (value) => isObject(value) && isText(Reflect.get(value, "directory")),
};
/** HTTP headers: `{ name: value }`, or several values for one name. */
export const headers: Kind = {
  words: "an object of strings, or of lists of strings",
  isOne: (value) =>
    object.isOne(value) && Object.values(Object(value)).every((each) => isText(each) || texts.isOne(each)),
  isSecret: true,
};

/** A value of any of these kinds. */
export function either(...kinds: readonly Kind[]): Kind {
  return {
    words: kinds.map(({ words }) => words).join(" or "),
    isOne: (value) => kinds.some(({ isOne }) => isOne(value)),
    checkInside: (name, value) => kinds.find(({ isOne }) => isOne(value))?.checkInside?.(name, value),
    isSecret: kinds.some(({ isSecret }) => isSecret === true),
  };
}

/** Values of the environment, as `process.env` has them. */
export const environment: Kind = {
  words: "an object of strings",
  isOne: (value) =>
    object.isOne(value) && Object.values(Object(value)).every((each) => each === undefined || isText(each)),
  isSecret: true,
};
/** Limits, each by its name. */
export const limitsKind: Kind = { ...object, checkInside: (_, value) => settleLimits(Object(value)) };

/** One of these words. */
export function word(...words: readonly string[]): Kind {
  return { words: `one of ${words.join(", ")}`, isOne: (value) => isText(value) && words.includes(value) };
}

/** A list of such words. */
export function words(...words: readonly string[]): Kind {
  return { words: `a list of words from ${words.join(", ")}`, isOne: isListOf(word(...words).isOne) };
}

/** An object with these members and no others. Those that are `required` may not be missing. */
export function shape<Members>(kinds: Kinds<Members>, required: readonly (keyof Members & string)[] = []): Kind {
  const checkInside = (name: string, value: unknown) =>
    checkMembers(Object(value), kinds, { required, within: `${name}.` });
  return { ...object, checkInside };
}

/** A list of objects with these members and no others. Those that are `required` may not be missing. */
export function shapes<Members>(kinds: Kinds<Members>, required: readonly (keyof Members & string)[] = []): Kind {
  const { isOne, checkInside } = shape(kinds, required);
  return {
    words: "a list of objects",
    isOne: isListOf(isOne),
    checkInside: (name, list) => {
      for (const [index, value] of Object.entries(Object(list))) checkInside?.(`${name}[${index}]`, value);
    },
  };
}

/** The same kind for a value that may be a password: error messages do not repeat it. */
export function secret(kind: Kind): Kind {
  return { ...kind, isSecret: true };
}

/**
 * Checks the options of a caller, who may not use TypeScript: that each of them exists, and that it is what it has to
 * be.
 *
 * Gives them as an object that has inherited ones as its own: of an object that is spread those would be lost.
 *
 * @throws OciUnpackError with `INVALID_OPTION`, which names the option.
 */
export function checkOptions<Options extends object>(
  options: Options,
  kinds: Kinds<Options>,
  required: readonly (keyof Options & string)[] = [],
): Options {
  check("options", options, object);
  const own: Record<string, unknown> = {};
  readable("options", () => {
    checkMembers(options, kinds, { required, within: "" });
    for (const name of Object.keys(kinds)) own[name] = Reflect.get(options, name);
  });
  return present(own) as Options;
}

/** Checks one value, which must not be missing. Throws `INVALID_OPTION`. */
export function check(name: string, value: unknown, kind: Kind): void {
  readable(name, () => {
    if (!kind.isOne(value)) throw invalid(name, value, kind);
    kind.checkInside?.(name, value);
  });
}

/** Looks into a value. A proxy, or a getter, may throw anything. */
function readable(name: string, look: () => void): void {
  try {
    look();
  } catch (error) {
    if (isOciUnpackError(error)) throw error;
    const unreadable = invalidOption(name, "it cannot be read");
    throw retold(unreadable, unreadable.message, { cause: error });
  }
}

/** Members may be inherited: they are used as well. */
function checkMembers(
  members: object,
  kinds: Readonly<Record<string, Kind>>,
  { required, within }: { readonly required: readonly string[]; readonly within: string },
): void {
  const unknown = Object.keys(members).find((name) => !Object.hasOwn(kinds, name));
  if (unknown !== undefined) throw unknownName(within, unknown, { names: Object.keys(kinds), called: "option" });
  for (const [name, kind] of Object.entries(kinds)) {
    const value: unknown = Reflect.get(members, name);
    if (value !== undefined || required.includes(name)) check(`${within}${name}`, value, kind);
  }
}

/** The error for a name that does not exist, with the one that is probably meant. */
function unknownName(
  within: string,
  name: string,
  { names, called }: { readonly names: readonly string[]; readonly called: string },
): OciUnpackError {
  const shown = name.slice(0, 100);
  const meant = suggestion(shown, names);
  const hint = meant === undefined ? undefined : `did you mean ${within}${meant}?`;
  return invalidOption(`${within}${shown}`, `there is no such ${called}`, hint);
}

/** The path of a file or a directory that a caller named, maybe by a URL. Throws `INVALID_OPTION`. */
export function pathOf(name: string, value: string | URL): string {
  check(name, value, path);
  return pathIn(value) ?? "";
}

/** The path of a destination that a caller named, maybe by a URL, or the stream. Throws `INVALID_OPTION`. */
export function pathOrStream<Stream>(name: string, value: string | URL | Stream): string | Stream {
  check(name, value, pathOrWritable);
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

/** The error for an option that cannot be used; `found` says why. */
export function invalidOption(name: string, found: string, hint?: string): OciUnpackError {
  return new OciUnpackError("INVALID_OPTION", `cannot use the option ${name}: ${found}`, {
    ...present({ hint }),
    details: { option: name },
  });
}

function invalid(name: string, value: unknown, { words, isSecret = false }: Kind): OciUnpackError {
  const hint = has(value, "then") ? "await the promise" : undefined;
  return invalidOption(name, `${isSecret ? kindOf(value) : shownValue(value)} is not ${words}`, hint);
}

function shownValue(value: unknown): string {
  if (isText(value) || value instanceof URL) return JSON.stringify(String(value).slice(0, 200));
  return typeof value === "number" || typeof value === "boolean" ? String(value) : kindOf(value);
}

/** Says what sort of value it is without showing it: it, or something in it, may be secret. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return "this list";
  if (has(value, "then")) return "a promise";
  return typeof value === "function" ? "a function" : `this ${typeof value}`;
}

/** The limits to use: what the caller says, and the defaults for everything else. */
export function settleLimits(limits: Partial<Limits> = {}): Limits {
  const settled: Record<keyof Limits, number> = { ...defaultLimits };
  const names = Object.keys(defaultLimits);
  const unknown = Object.keys(limits).find((name) => !names.includes(name));
  if (unknown !== undefined) throw unknownName("limits.", unknown, { names, called: "limit" });
  for (const name of names) {
    const value: unknown = Reflect.get(limits, name);
    if (value === undefined) continue;
    // With none at a time whoever waits for a blob would wait for ever.
    const kind = name === "parallelDownloads" ? positive : count;
    if (!kind.isOne(value)) throw invalidOption(`limits.${name}`, `${String(value)} is not ${kind.words}`);
    settled[name as keyof Limits] = Number(value);
  }
  return settled;
}
