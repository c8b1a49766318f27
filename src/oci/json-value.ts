import { type ErrorCode, OciUnpackError } from "../errors.ts";
import { parseJson } from "./json.ts";

/** Which document is read, so that what is wrong with it can be said. */
interface Subject {
  readonly code: ErrorCode;
  readonly name: string;
}

/**
 * A value of an untrusted document together with its place in it: asked for what it should be, it is that or an error.
 *
 * `null` counts as absent wherever a member is asked for, as it does in the specification ("any OPTIONAL field MAY also be
 * set to null") and to Go programs, which wrote most documents. Inherited properties are never seen.
 */
export class JsonValue {
  readonly #value: unknown;
  readonly #path: string;
  readonly #subject: Subject;

  private constructor(value: unknown, path: string, subject: Subject) {
    this.#value = value;
    this.#path = path;
    this.#subject = subject;
  }

  /** Reads the bytes of the document that is called `name` in messages; `code` is the code of whatever is wrong with it. */
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
    const object = this.#object();
    const value: unknown = Object.hasOwn(object, key) ? Reflect.get(object, key) : undefined;
    if (value === undefined || value === null) return undefined;
    return new JsonValue(value, this.#path === "" ? key : `${this.#path}.${key}`, this.#subject);
  }

  required(key: string): JsonValue {
    return this.optional(key) ?? this.refuse(`it has no "${key}"`);
  }

  string(): string {
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
    return Object.fromEntries(this.keys().map((key) => [key, this.required(key).string()]));
  }

  /** Throws the document's error, naming this value's place. */
  refuse(found: string): never {
    const place = this.#path === "" ? "" : `"${shortened(this.#path)}": `;
    throw new OciUnpackError(this.#subject.code, `cannot read the ${this.#subject.name}: ${place}${found}`);
  }

  #object(): object {
    const value = this.#value;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : this.#mustBe("an object");
  }

  #mustBe(wanted: string): never {
    return this.refuse(`${shortened(JSON.stringify(this.#value))} is not ${wanted}`);
  }
}

/** Text of the document as a message may quote it. */
function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
