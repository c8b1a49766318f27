import { type ErrorCode, OciUnpackError } from "../base/errors.ts";
import { parseJson } from "./json.ts";

/** Which document is read, so that what is wrong with it can be said. */
interface Subject {
  readonly code: ErrorCode;
  readonly name: string;
}

/** No member that anybody knows has a longer name; and V8 tells strings that are very long by their length alone. */
const longestName = 100;

/**
 * A value of an untrusted document together with its place in it: asked for what it should be, it is that or an error.
 *
 * Members are found as Go programs, which read and write most documents, find them: in upper or lower case. Of two that
 * differ in nothing else Go obeys the last and others the one that they know, and so there would be two images: that is
 * an error. The keys of maps are users' own and count as they are written.
 *
 * `null` counts as absent wherever a member is asked for, as it does in the specification ("any OPTIONAL field MAY also
 * be set to null"), and elsewhere as what Go makes of it: the empty text, an object without members.
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

  /**
   * Reads the bytes of the document that is called `name` in messages; `code` is the code of whatever is wrong with it.
   */
  static parse(bytes: Uint8Array, name: string, code: ErrorCode): JsonValue {
    try {
      return new JsonValue(parseJson(bytes), "", { code, name });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new OciUnpackError(code, `cannot read the ${name}: ${error.message}`, { cause: error });
    }
  }

  /** The member of that name, unless absent or null. */
  optional(key: string): JsonValue | undefined {
    this.#members ??= this.#membersByName();
    const value = this.#members.get(foldedKey(key));
    return value === undefined || value === null ? undefined : this.#at(key, value);
  }

  required(key: string): JsonValue {
    return this.optional(key) ?? this.refuse(`it has no "${key}"`);
  }

  /** As it stands in the document. */
  get json(): unknown {
    return this.#value;
  }

  string(): string {
    if (this.#value === null) return "";
    return typeof this.#value === "string" ? this.#value : this.#mustBe("a string");
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

  /** An object's own keys, whatever their values are. */
  keys(): readonly string[] {
    return Object.keys(this.#object());
  }

  /** An object whose values are strings. */
  stringMap(): Readonly<Record<string, string>> {
    // fromEntries defines each property, so that a key called __proto__ is a key like any other.
    return Object.fromEntries(
      Object.entries(this.#object()).map(([key, value]) => [key, this.#at(key, value).string()]),
    );
  }

  /** Throws the document's error, naming this value's place. */
  refuse(found: string): never {
    const place = this.#path === "" ? "" : `"${shortened(this.#path)}": `;
    throw new OciUnpackError(this.#subject.code, `cannot read the ${this.#subject.name}: ${place}${found}`);
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

/** Text of the document as a message may quote it. */
function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/**
 * A member's name as Go compares it with those that it knows: by Unicode's simple case folding, where beyond ASCII only
 * `ſ` (U+017F) is an S and `K` (U+212A, the Kelvin sign) a K.
 */
export function foldedKey(key: string): string {
  // One character at a time: linear.
  return key.replace(/[A-Z\u017f\u212a]/g, (letter) => (letter === "\u017f" ? "s" : letter.toLowerCase()));
}
