import type { JsonValue } from "../../oci/json-value.ts";

/** A member of an object, with its name. */
export interface NamedValue {
  readonly name: string;
  readonly value: JsonValue;
}

/**
 * The members of an object in a policy. One that is unknown, missing or null is an error: what is misspelt would demand
 * less than was meant (containers-policy.json(5), "Format").
 */
export class StrictMembers {
  readonly #object: JsonValue;
  readonly #members: ReadonlyMap<string, JsonValue>;

  constructor(object: JsonValue, required: readonly string[], optional: readonly string[] = []) {
    const allowed = [...required, ...optional];
    const members = new Map(object.entries());
    for (const [name, value] of members) {
      if (!allowed.includes(name)) object.refuse(`it has "${name.slice(0, 100)}", allowed are ${allowed.join(", ")}`);
      if (value.json === null) value.refuse("it is null");
    }
    this.#object = object;
    this.#members = members;
    for (const name of required) this.required(name);
  }

  required(name: string): JsonValue {
    return this.#members.get(name) ?? this.#object.refuse(`it has no "${name}"`);
  }

  optional(name: string): JsonValue | undefined {
    return this.#members.get(name);
  }

  all(): readonly NamedValue[] {
    return [...this.#members].map(([name, value]) => ({ name, value }));
  }

  /** The only one of these that is there. */
  one(...names: readonly string[]): NamedValue {
    return this.oneOrNone(...names) ?? this.#object.refuse(`it needs one of ${names.join(", ")}`);
  }

  oneOrNone(...names: readonly string[]): NamedValue | undefined {
    const [found, another] = this.all().filter(({ name }) => names.includes(name));
    if (another !== undefined) this.#object.refuse(`it has both "${found?.name}" and "${another.name}"`);
    return found;
  }
}

/** The member that says what an object is: one of these words. */
export function typeIn<Word extends string>(object: JsonValue, ...allowed: readonly Word[]): Word {
  const type = new Map(object.entries()).get("type") ?? object.refuse('it has no "type"');
  return oneOf(type, ...allowed);
}

/** One of these words. */
export function oneOf<Word extends string>(value: JsonValue, ...allowed: readonly Word[]): Word {
  const found = value.string();
  return (
    allowed.find((each) => each === found) ??
    value.refuse(`"${found.slice(0, 100)}" is not one of ${allowed.join(", ")}`)
  );
}

/** A string that is not empty. */
export function word(value: JsonValue): string {
  return value.string() || value.refuse("it is empty");
}

/** The items of a list that is not empty. */
export function items(value: JsonValue): readonly JsonValue[] {
  const all = value.list();
  return all.length > 0 ? all : value.refuse("the list is empty");
}
