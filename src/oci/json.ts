/** How deep JSON may be nested: deeper than any document of an image, and never too deep for the stack. */
const deepest = 64;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const openBracket = 0x5b;
const closeBrace = 0x7d;
const closeBracket = 0x5d;

/**
 * Parses untrusted JSON. Throws `SyntaxError`. The time is linear in the number of bytes.
 *
 * It is stricter than `JSON.parse`: the bytes must be UTF-8 without a byte order mark, nothing may be nested deeper
 * than 64, and no object may have a key twice, because parsers disagree about which one counts and would see two
 * different images. Error messages quote nothing of the text, except for such a key.
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decoded(bytes);
  refuseDuplicates(text);
  try {
    return JSON.parse(text);
  } catch {
    const position = jsonFault(text);
    throw new SyntaxError(
      position === text.length ? "its JSON ends too early" : `it is not JSON at character ${position + 1}`,
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

/** Looks only at strings, brackets and commas; `JSON.parse` checks the rest. */
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
  /** Created with the first key: a document may have a million empty objects. */
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

/** The index of the quote that ends the string at `start`, or of the end of the text if there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === backslash) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return text.length;
}

/** What may follow a backslash in a string, besides `u` with four digits. */
const escapes = '"\\/bfnrt';
const words = ["true", "false", "null"] as const;

/**
 * The index of the first character that is not valid JSON (RFC 8259), or the text's length if it ends too early.
 *
 * The message of `JSON.parse` would quote the text, which may be secret: a file that a link led to, or a password in a
 * response. Each character is looked at once. Throws `RangeError` if the text is nested too deep for the stack.
 */
export function jsonFault(text: string): number {
  const scan = new Scan(text);
  return scan.value() && scan.space() === text.length ? text.length : scan.at;
}

/** The line, counted from 1, of a member of nested objects; `undefined` if there is none, or the text is not JSON. */
export function jsonLine(text: string, keys: readonly string[]): number | undefined {
  let position: number | undefined;
  const path: string[] = [];
  const scan = new Scan(text, (start, end, value) => {
    path.push(String(JSON.parse(text.slice(start, end))));
    if (path.length === keys.length && path.every((key, index) => key === keys[index])) position = start;
    const isRight = value();
    path.pop();
    return isRight;
  });
  scan.value();
  return position === undefined ? undefined : text.slice(0, position).split("\n").length;
}

/** Called for each key with its position. It has to call `value`, which reads the key's value. */
type KeyListener = (start: number, end: number, value: () => boolean) => boolean;

/** Each method reads what its name says and returns whether it was there. If not, `at` is where the text is wrong. */
class Scan {
  at = 0;
  readonly #text: string;
  readonly #onKey: KeyListener;

  constructor(text: string, onKey: KeyListener = (_start, _end, value) => value()) {
    this.#text = text;
    this.#onKey = onKey;
  }

  value(): boolean {
    this.space();
    const first = this.#text[this.at];
    if (first === "{") return this.#list("}", () => this.#member());
    if (first === "[") return this.#list("]", () => this.value());
    if (first === '"') return this.#string();
    const word = words.find((each) => each.startsWith(first ?? "-"));
    return word === undefined ? this.#number() : [...word].every((letter) => this.#one(letter));
  }

  /** Returns where the white space ends. */
  space(): number {
    while (" \t\n\r".includes(this.#text[this.at] ?? "-")) this.at += 1;
    return this.at;
  }

  #list(end: string, item: () => boolean): boolean {
    this.at += 1;
    this.space();
    if (this.#one(end)) return true;
    for (;;) {
      this.space();
      if (!item()) return false;
      this.space();
      if (this.#one(end)) return true;
      if (!this.#one(",")) return false;
    }
  }

  #member(): boolean {
    const start = this.at;
    return this.#string() && this.#onKey(start, this.at, () => this.#colon() && this.value());
  }

  #colon(): boolean {
    this.space();
    return this.#one(":");
  }

  #string(): boolean {
    if (!this.#one('"')) return false;
    for (; this.at < this.#text.length; this.at += 1) {
      const character = this.#text.charCodeAt(this.at);
      if (character < 0x20) return false;
      if (character === quote) return this.#one('"');
      if (character === backslash && !this.#escape()) return false;
    }
    return false;
  }

  /** Ends at the last character of the escape. */
  #escape(): boolean {
    this.at += 1;
    const kind = this.#text[this.at];
    if (kind !== "u") return kind !== undefined && escapes.includes(kind);
    for (let digit = 0; digit < 4; digit += 1) {
      this.at += 1;
      if (!isHexadecimal(this.#text.charCodeAt(this.at))) return false;
    }
    return true;
  }

  #number(): boolean {
    this.#one("-");
    if (!this.#one("0") && !this.#digits()) return false;
    if (this.#one(".") && !this.#digits()) return false;
    if (!this.#one("e") && !this.#one("E")) return true;
    if (!this.#one("+")) this.#one("-");
    return this.#digits();
  }

  #digits(): boolean {
    const start = this.at;
    while (isDigit(this.#text.charCodeAt(this.at))) this.at += 1;
    return this.at > start;
  }

  #one(character: string): boolean {
    const isThere = this.#text[this.at] === character;
    if (isThere) this.at += 1;
    return isThere;
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isHexadecimal(code: number): boolean {
  return isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66);
}
