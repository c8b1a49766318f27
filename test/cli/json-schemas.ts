import { fileURLToPath } from "node:url";
import { createGenerator } from "ts-json-schema-generator";
import { repositoryFile } from "../support/repository.ts";

/** A schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>;

const dialect = { $schema: "https://json-schema.org/draft/2020-12/schema" };

/**
 * Makes the schemas of all that the command prints as JSON, by their names, of the types in src/cli/json-outputs.ts. They
 * are closed: an object has no other members than those that are named.
 */
export function generatedSchemas(): Readonly<Record<string, Schema>> {
  const { properties = {} } = createGenerator({
    path: fileURLToPath(repositoryFile("src/cli/json-outputs.ts")),
    tsconfig: fileURLToPath(repositoryFile("tsconfig.build.json")),
    skipTypeCheck: true,
    expose: "none",
    topRef: false,
  }).createSchema("JsonOutputs");
  const outputs = Object.entries(properties);
  return Object.fromEntries(outputs.map(([name, schema]) => [name, { ...dialect, ...(told(schema) as Schema) }]));
}

/**
 * A part of a schema as it is told: every number is a whole one, and a description is one line.
 *
 * The generator writes JSON Schema 2019 and before; what it writes of these types means the same in 2020-12.
 */
function told(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(told);
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, toldMember(name, value)]));
}

function toldMember(name: string, value: unknown): unknown {
  if (name === "type" && value === "number") return "integer";
  if (name === "description" && typeof value === "string") return value.replaceAll(/\s+/g, " ");
  return told(value);
}

/** An open schema: members that are not named may be there, because later versions may add some. */
export function opened(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(opened);
  if (typeof part !== "object" || part === null) return part;
  const members = Object.entries(part).filter(([name, value]) => name !== "additionalProperties" || value !== false);
  return Object.fromEntries(members.map(([name, value]) => [name, opened(value)]));
}

/** The text of a file with a schema. */
export function fileText(schema: Schema): string {
  return `${JSON.stringify(opened(schema), undefined, 2)}\n`;
}
