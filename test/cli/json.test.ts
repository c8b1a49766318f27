import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { schemaFile } from "../support/json-output.ts";
import { fileText, generatedSchemas } from "./json-schemas.ts";

/** The names of members that are numbers with a unit: how they end. */
const units = /(?:^|[a-z])(?:bytes|Bytes|seconds|Seconds|milliseconds|Milliseconds|nanoseconds|Nanoseconds)$/;

/** The code of a warning, which is counted. */
const isWord = /^[A-Z_]+$/;

test("the schemas are those of the types: npm run schema writes them anew", () => {
  const texts = Object.entries(generatedSchemas()).map(([name, schema]) => [`${name}.json`, fileText(schema)]);
  const files = readdirSync(schemaFile("")).map((name) => [name, readFileSync(schemaFile(name), "utf8")]);
  assert.deepEqual(Object.fromEntries(files), Object.fromEntries(texts));
});

test("sizes and times are whole numbers with their units in their names", () => {
  const faults: string[] = [];
  for (const file of readdirSync(schemaFile(""))) {
    for (const [name, schema] of members(JSON.parse(readFileSync(schemaFile(file), "utf8")))) {
      const { type } = schema as { readonly type?: string };
      if (units.test(name) && type !== "integer") faults.push(`${file}: ${name} is ${type}`);
      if (type === "number") faults.push(`${file}: ${name} need not be whole`);
      if (
        type === "integer" &&
        !isWord.test(name) &&
        /size|time|duration|offset|length|age|delay/i.test(name) &&
        !units.test(name)
      ) {
        faults.push(`${file}: ${name} has no unit`);
      }
    }
  }
  assert.deepEqual(faults, []);
});

/** All members that a schema names, however deep. */
function* members(part: unknown): Iterable<readonly [name: string, schema: unknown]> {
  if (typeof part !== "object" || part === null) return;
  for (const [name, value] of Object.entries(part)) {
    if (name === "properties") yield* Object.entries(value as object);
    yield* members(value);
  }
}
