import type { Material } from "./material.ts";
import { readPolicyFile } from "./policy-file.ts";

/** PEM as text, and what it was read from, for messages. */
export interface LoadedMaterial {
  readonly pem: string;
  readonly name: string;
}

/** Reads what a policy names or contains. Throws `INVALID_OPTION` for a file that cannot be read. */
export async function loaded(material: Material, what: "key" | "certificates"): Promise<LoadedMaterial> {
  const isFile = "path" in material;
  const bytes = isFile ? await readPolicyFile(material.path, what) : material.bytes;
  return { pem: new TextDecoder().decode(bytes), name: isFile ? material.path : material.place };
}
