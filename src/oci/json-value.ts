import { Buffer } from "node:buffer";
import { type ErrorCode, OciUnpackError } from "../base/errors.ts";
import { parseJson } from "./json.ts";

/** The document that a value is from, for error messages. */
interface Subject {
  readonly code: ErrorCode;
  readonly name: string;
}

/** Longer names are ignored: no known member has one, and V8 hashes very long strings by their length alone. */
const longestName = 100;

/**
 * A value in an untrusted document, with its path there. Each method returns the value as one type, or throws an error
 * that names the path.
 *
 * Names of members match in upper and lower case, as in Go, in which most programs are written that read and write such
 * documents. If two names differ only in case, Go takes the last one and other programs take one of them, so that they
 * would see different images: that is an error. The keys of maps, such as labels, are case-sensitive.
 *
 * `null` counts as an absent member, as in the specification ("any OPTIONAL field MAY also be set to null"). Elsewhere
 * it is what Go makes of it: an empty string, an object without members.
 */
export class JsonValue {
  readonly #value: unknown;
  readonly #path: string;
  readonly #subject: Subject;
  #members: ReadonlyMap<string, unknown> | undefined;

  private constructor(value: unknown, path: string, subject: Subject) {
    this.#value = value;
    this.#path = path;
    this.#subject = subject;
  }

  /** Parses a document. Error messages call it `name`, and errors have that code. */
  static parse(bytes: Uint8Array, name: string, code: ErrorCode): JsonValue {
    try {
      return new JsonValue(parseJson(bytes), "", { code, name });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new OciUnpackError(code, `cannot read the ${name}: ${error.message}`, { cause: error });
    }
  }

  /** The member of that name; `undefined` if it is absent or null. */
  optional(key: string): JsonValue | undefined {
    this.#members ??= this.#membersByName();
    const value = this.#members.get(foldedKey(key));
    return value === undefined || value === null ? undefined : this.#at(key, value);
  }

  required(key: string): JsonValue {
    return this.optional(key) ?? this.refuse(`it has no "${key}"`);
  }

  /** Where in the document it is; empty for the document itself. */
  get place(): string {
    return this.#path;
  }

  /** The value itself, as `JSON.parse` returned it. */
  get json(): unknown {
    return this.#value;
  }

  string(): string {
    if (this.#value === null) return "";
    return typeof this.#value === "string" ? this.#value : this.#mustBe("a string");
  }

  /** The bytes of a string in base64 (RFC 4648, section 4), with its padding. */
  bytes(): Uint8Array {
    return base64Bytes(this.string()) ?? this.refuse("it is not base64");
  }

  boolean(): boolean {
    return typeof this.#value === "boolean" ? this.#value : this.#mustBe("true or false");
  }

  /** A whole number from 0 to 2⁵³ − 1. */
  count(): number {
    const value = this.#value;
    return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : this.#mustBe("a count");
  }

  list(): readonly JsonValue[] {
    if (!Array.isArray(this.#value)) return this.#mustBe("a list");
    return this.#value.map((value: unknown, index) => new JsonValue(value, `${this.#path}[${index}]`, this.#subject));
  }

  strings(): readonly string[] {
    return this.list().map((item) => item.string());
  }

  /** The keys of an object, whatever its values are. */
  keys(): readonly string[] {
    return Object.keys(this.#object());
  }

  /** The members of an object under their names as they were written, also those that are null. */
  entries(): readonly (readonly [name: string, value: JsonValue])[] {
    return Object.entries(this.#object()).map(([name, value]) => [name, this.#at(name, value)]);
  }

  /** An object whose values are strings. */
  stringMap(): Readonly<Record<string, string>> {
    // fromEntries makes __proto__ a key like all others.
    return Object.fromEntries(this.entries().map(([key, value]) => [key, value.string()]));
  }

  /** Throws the document's error, with the path of this value. */
  refuse(found: string): never {
    const where = this.#path === "" ? "" : `"${shortened(this.#path)}": `;
    throw new OciUnpackError(this.#subject.code, `cannot read the ${this.#subject.name}: ${where}${found}`);
  }

  #membersByName(): ReadonlyMap<string, unknown> {
    const members = new Map<string, unknown>();
    for (const [key, value] of Object.entries(this.#object())) {
      if (key.length > longestName) continue;
      const name = foldedKey(key);
      if (members.has(name)) this.refuse(`it has "${name}" twice, in upper and lower case`);
      members.set(name, value);
    }
    return members;
  }

  #at(key: string, value: unknown): JsonValue {
    return new JsonValue(value, this.#path === "" ? key : `${this.#path}.${key}`, this.#subject);
  }

  #object(): object {
    const value = this.#value ?? {};
    return typeof value === "object" && !Array.isArray(value) ? value : this.#mustBe("an object");
  }

  #mustBe(wanted: string): never {
    return this.refuse(`${shortened(JSON.stringify(this.#value))} is not ${wanted}`);
  }
}

/** Text from the document, cut for an error message. */
function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/** The bytes of text in base64; `undefined` for text that only resembles it. */
export function base64Bytes(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  // Node ignores what is not base64, so it is encoded again and compared.
  return bytes.toString("base64") === text ? bytes : undefined;
}

/** The bytes of text in base64 as Go reads it: line ends in it do not count. */
export function wrappedBase64Bytes(text: string): Uint8Array | undefined {
  return base64Bytes(text.replaceAll("\r", "").replaceAll("\n", ""));
}

/**
 * A member's name in the form in which Go compares names: by Unicode's simple case folding. Beyond ASCII only `ſ`
 * (U+017F) counts as an S and `K` (U+212A, the Kelvin sign) as a K.
 */
export function foldedKey(key: string): string {
  // One character at a time: linear.
  return key.replace(/[A-Z\u017f\u212a]/g, (letter) => (letter === "\u017f" ? "s" : letter.toLowerCase()));
}
