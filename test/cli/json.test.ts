import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { CommandEvent } from "../../src/cli/json-outputs.ts";
import { image, stored } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { schemaFile } from "../support/json-output.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { startRegistry } from "../support/registry-double.ts";
import { hangAfter } from "../support/registry-reply.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { fileText, generatedSchemas } from "./json-schemas.ts";

/** The names of members that are numbers with a unit: how they end. */
const units = /(?:^|[a-z])(?:bytes|Bytes|seconds|Seconds|milliseconds|Milliseconds|nanoseconds|Nanoseconds)$/;

/** The code of a warning, which is counted. */
const isWord = /^[A-Z_]+$/;

test("the schemas are those of the types", () => {
  const wanted = Object.fromEntries(
    Object.entries(generatedSchemas()).map(([name, schema]) => [`${name}.json`, fileText(schema)]),
  );
  const files = readdirSync(schemaFile(""));
  const stale = [...new Set([...files, ...Object.keys(wanted)])].filter((name) => {
    return !files.includes(name) || readFileSync(schemaFile(name), "utf8") !== wanted[name];
  });
  assert.deepEqual(stale, [], "npm run schema writes them anew");
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

/** Runs a command with `--json-events`, and gives what it told, event by event. */
async function told(
  ...args: readonly string[]
): Promise<{ status: number | undefined; events: readonly CommandEvent[] }> {
  const { status, stderr } = await ociUnpack([...args, "--json-events"]);
  return { status, events: stderr.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)])) };
}

async function setStage(): Promise<Scratch & { readonly name: string; readonly target: string }> {
  const place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "x", images: [image([tar(file("motd", "hello"))])] }]);
  return { ...place, name: `oci:${layout}:x`, target: join(place.directory, "target") };
}

const platform = ["-p", "linux/amd64"];

test("--json-events tells all events, one JSON object a line, and nothing else", async () => {
  await using stage = await setStage();
  const { status, events } = await told(...platform, stage.name, stage.target);
  const types = events.map(({ type }) => type);
  assert.equal(status, 0);
  for (const type of ["decision", "resolved", "sandbox", "layer-finished"] as const)
    assert.ok(types.includes(type), type);
  assert.equal(types.at(-1), "finished");
  assert.deepEqual(
    (await told("verify", ...platform, stage.target, stage.name)).events.map(({ type }) => type).at(-1),
    "finished",
  );
});

for (const [args, code, status] of [
  [["--nothing", "x", "y"], "INVALID_OPTION", 2],
  [["ls", "-q", "x"], "INVALID_OPTION", 2],
  [["inspect", "oci:/nowhere:x"], "NOT_FOUND", 1],
  [["store", "list", "--store", "/nowhere"], "NOT_FOUND", 1],
] as const) {
  test(`--json-events of ${args.join(" ")} ends with the failure, as --json tells it`, async () => {
    const { status: found, events } = await told(...args);
    const last = events.at(-1);
    assert.ok(last?.type === "failed");
    assert.deepEqual([found, last.error.code], [status, code]);
    if (args[1] === "-q") return;
    const { stdout } = await ociUnpack([...args, "--json"]);
    assert.deepEqual(last.error, JSON.parse(stdout).error);
  });
}

test("--json-events tells that a signal has come, and at last that it was interrupted", async () => {
  await using registry = await startRegistry();
  await using stage = await setStage();
  const slow = image([tar(file("slow", "an image of its own"))]);
  const name = stored(registry, "slow", slow);
  for (const { descriptor } of slow.layers) registry.always(new RegExp(descriptor.digest), hangAfter(10));
  const { status, stderr } = await ociUnpack([...platform, "--json-events", name, stage.target], {
    started: (child) => child.stderr?.once("data", () => child.kill("SIGTERM")),
  });
  const events = stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as CommandEvent);
  const last = events.at(-1);
  assert.equal(status, 143);
  assert.ok(events.some(({ type }) => type === "note"));
  assert.equal(last?.type === "failed" && last.error.code, "INTERRUPTED");
});

/** All members that a schema names, however deep. */
function* members(part: unknown): Iterable<readonly [name: string, schema: unknown]> {
  if (typeof part !== "object" || part === null) return;
  for (const [name, value] of Object.entries(part)) {
    if (name === "properties") yield* Object.entries(value as object);
    yield* members(value);
  }
}
