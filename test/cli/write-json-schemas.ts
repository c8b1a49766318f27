import { mkdir, rm, writeFile } from "node:fs/promises";
import { schemaFile } from "../support/json-output.ts";
import { fileText, generatedSchemas } from "./json-schemas.ts";

// Writes docs/schema anew.
await rm(schemaFile(""), { recursive: true, force: true });
await mkdir(schemaFile(""), { recursive: true });
for (const [name, schema] of Object.entries(generatedSchemas()))
  await writeFile(schemaFile(`${name}.json`), fileText(schema));
