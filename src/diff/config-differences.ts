import { isDeepStrictEqual } from "node:util";
import type { Image } from "../image/resolve.ts";
import { foldedKey, JsonValue } from "../oci/json-value.ts";

/** A member of the object `config` that two images' configurations have with another value, or that only one has. */
export interface ConfigDifference {
  /** `Env`, `Entrypoint`, `Labels` and so on, as the configurations write it. */
  readonly field: string;
  /** The value of the first image, as its configuration has it; absent where there is none. */
  readonly first?: unknown;
  readonly second?: unknown;
}

/** Compares how two images are to be run, by the order of the fields' names. `null` counts as absent. */
export function configDifferences(
  first: Pick<Image, "configBytes">,
  second: Pick<Image, "configBytes">,
): readonly ConfigDifference[] {
  const [one, other] = [executionMembers(first), executionMembers(second)];
  const fields = [...new Set([...one.keys(), ...other.keys()])].sort();
  return fields.flatMap((folded) => {
    const [field = "", ours] = one.get(folded) ?? [];
    const [theirField = field, theirs] = other.get(folded) ?? [];
    if (isDeepStrictEqual(ours, theirs)) return [];
    return {
      field: field === "" ? theirField : field,
      ...(ours !== undefined && { first: ours }),
      ...(theirs !== undefined && { second: theirs }),
    };
  });
}

/** The members of the object `config` with their names as written, by their names as they are compared. */
function executionMembers({
  configBytes,
}: Pick<Image, "configBytes">): Map<string, readonly [field: string, value: unknown]> {
  const execution = JsonValue.parse(configBytes, "image's config", "INVALID_CONFIG").optional("config");
  const entries = execution?.entries() ?? [];
  return new Map(
    entries.flatMap(([name, { json }]) => (json === null ? [] : [[foldedKey(name), [name, json]] as const])),
  );
}
