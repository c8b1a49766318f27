import { type JsonValue, wrappedBase64Bytes } from "../../oci/json-value.ts";
import { items, type NamedValue, word } from "./strict-members.ts";

/** PEM that a policy names by its file, or contains. It is read where it is needed. */
export type Material =
  | { readonly path: string }
  | {
      readonly bytes: Uint8Array;
      /** Where in the policy it is, for messages. */
      readonly place: string;
    };

/** What a member names, or contains in base64; its name says how: `…Path`, `…Paths`, `…Data`, `…Datas`. */
export function materialsFrom({ name, value }: NamedValue): readonly Material[] {
  if (name.endsWith("Paths")) return items(value).map(named);
  if (name.endsWith("Datas")) return items(value).map(contained);
  return [materialFrom({ name, value })];
}

/** What a member whose name ends in `Path` or `Data` has. */
export function materialFrom({ name, value }: NamedValue): Material {
  return name.endsWith("Path") ? named(value) : contained(value);
}

function named(value: JsonValue): Material {
  return { path: word(value) };
}

function contained(value: JsonValue): Material {
  const bytes = wrappedBase64Bytes(word(value));
  return bytes === undefined ? value.refuse("it is not base64") : { bytes, place: value.place };
}
