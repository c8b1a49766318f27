import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Outcome } from "./command.ts";
import { repositoryFile } from "./repository.ts";

/** A file with a schema. */
export function schemaFile(name: string): URL {
  return repositoryFile(`docs/schema/${name}`);
}

const unpackings = ["unpack", "overlay", "files", "export", "copy"];
const verbs = ["inspect", "ls", "history", "verify", "diff", "sync", "signatures"];

/** Insists that what the command wrote as JSON is what the schema for it says, and nothing besides. */
export function insistOnSchemas(args: readonly string[], { stdout, stderr }: Pick<Outcome, "stdout" | "stderr">): void {
  const options = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  if (options.includes("--json") && stdout !== "") insistOnOne(outputsOf(args), JSON.parse(stdout));
  if (!options.includes("--json-events") || stderr === "") return;
  for (const line of stderr.trimEnd().split("\n")) insistOnOne(["event"], JSON.parse(line));
}

/** The schemas that what a command prints may be of. */
function outputsOf([first = "", second = ""]: readonly string[]): readonly string[] {
  if (first === "store") return [`store-${second}`, "error"];
  return [...(verbs.includes(first) ? [first] : unpackings), "error"];
}

function insistOnOne(names: readonly string[], value: unknown): void {
  const checks = names.map(validator);
  if (checks.some((check) => check(value))) return;
  const faults = checks.map(({ errors }, index) => `${names[index]}: ${JSON.stringify(errors?.slice(0, 3))}`);
  assert.fail(`no schema describes ${JSON.stringify(value).slice(0, 2000)}\n${faults.join("\n")}`);
}

const ajv = new Ajv2020();
const validators = new Map<string, ValidateFunction>();

function validator(name: string): ValidateFunction {
  const known =
    validators.get(name) ?? ajv.compile(closed(JSON.parse(readFileSync(schemaFile(`${name}.json`), "utf8"))) as object);
  validators.set(name, known);
  return known;
}

/** A schema of which objects have no other members than those that it names. */
function closed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== "object" || part === null) return part;
  const members = Object.fromEntries(Object.entries(part).map(([name, value]) => [name, closed(value)]));
  return "properties" in part && members.type === "object" ? { additionalProperties: false, ...members } : members;
}
