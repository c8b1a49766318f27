import { jsonFault } from "./json-fault.ts";

/** Deeper than any document of an image; shallow enough that nothing which walks one runs out of stack. */
const deepest = 64;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const openBracket = 0x5b;
const closeBrace = 0x7d;
const closeBracket = 0x5d;

/**
 * Reads JSON that nobody vouches for. Throws `SyntaxError`, in time linear in the bytes.
 *
 * Stricter than `JSON.parse`: the bytes are UTF-8 without a byte order mark, nothing nests deeper than 64, and no object
 * says a key twice. Two parsers that disagree about which of two equal keys counts would see two different images.
 * No message says what stands in the text, but for such a key.
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decoded(bytes);
  refuseDuplicates(text);
  try {
    return JSON.parse(text);
  } catch {
    const place = jsonFault(text);
    throw new SyntaxError(
      place === text.length ? "its JSON ends too early" : `it is not JSON at character ${place + 1}`,
    );
  }
}

function decoded(bytes: Uint8Array): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    throw new SyntaxError("it begins with a byte order mark");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new SyntaxError("it is not UTF-8", { cause: error });
  }
}

/** Sees only strings, brackets and commas: whether the rest is JSON is for `JSON.parse` to say. */
function refuseDuplicates(text: string): void {
  const open: OpenValue[] = [];
  let keyComesNext = false;
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index);
    if (character === quote) {
      const end = endOfString(text, index);
      const object = open.at(-1);
      if (keyComesNext && object?.isObject) addKey(object, text.slice(index, end + 1));
      keyComesNext = false;
      index = end;
    } else if (character === openBrace || character === openBracket) {
      if (open.length === deepest) throw new SyntaxError(`it nests deeper than ${deepest}`);
      open.push({ isObject: character === openBrace, keys: undefined });
      keyComesNext = true;
    } else if (character === closeBrace || character === closeBracket) {
      open.pop();
    } else if (character === comma) {
      keyComesNext = true;
    }
  }
}

interface OpenValue {
  readonly isObject: boolean;
  /** Made when the first key comes: a document may hold a million empty objects. */
  keys: Set<string> | undefined;
}

function addKey(object: OpenValue, quoted: string): void {
  // "a" and "\u0061" are the same key.
  const key: string = quoted.includes("\\") ? JSON.parse(quoted) : quoted.slice(1, -1);
  object.keys ??= new Set();
  if (object.keys.has(key))
    throw new SyntaxError(`it has the key ${JSON.stringify(key.slice(0, 100))} twice in one object`);
  object.keys.add(key);
}

/** Index of the quote that ends the string which begins at `start`; the text's end where there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === backslash) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return text.length;
}
