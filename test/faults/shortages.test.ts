import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { asUser, program, skipUnlessNodeIsOpen } from "../hostile/as-user.ts";
import { outcomeOf, output } from "../support/command.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { skipWithoutLandlock } from "../support/sandbox.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { assertClearError } from "./clear-error.ts";
import { type Fault, sample } from "./fault.ts";
import { places } from "./places.ts";
import { setStage } from "./stage.ts";
import { withUsualOptions } from "./usual.ts";

const none: Fault = { title: "none", image: sample, code: "INTERNAL" };
const sources = new URL("../../src/", import.meta.url).href;

/** What somebody does who may open no more files, with a module of the source. */
const attempts: Readonly<Record<string, readonly [module: string, attempt: string]>> = {
  "a program that is started": [
    "base/program.js",
    'await new module.Program("true", [], { kept: "stdout", keptCharacters: 1 }).ended',
  ],
  "a request to a registry": ["index.js", 'await module.resolve("127.0.0.1:1/app")'],
  "a thread that is started": ["worker/thread.js", 'await new module.Thread("tree-worker").do({ type: "any" })'],
};

/** What comes of an attempt where no more files may be opened: the error's code, its reason, and what it advises. */
async function withoutFiles(module: string, attempt: string): Promise<string> {
  const script = `
    const module = await import(${JSON.stringify(sources + module)});
    const { openSync } = await import("node:fs");
    try { for (;;) openSync("/dev/null"); } catch {}
    try { ${attempt}; } catch ({ code, message, hint }) { console.log(code, message, hint); }`;
  const node = [process.execPath, "--input-type=module", "--eval", script];
  return await output("sh", ["-c", 'ulimit -n 256; exec "$@"', "sh", ...node]);
}

describe("where no more files may be opened, that is the error of", () => {
  for (const [title, [module, attempt]] of Object.entries(attempts)) {
    test(title, async () => {
      assert.match(await withoutFiles(module, attempt), /^OUT_OF_RESOURCES .*\(EMFILE\) .*ulimit -n\n$/);
    });
  }
});

test("where files are short, no policy lets a thread go unconfined", { skip: skipWithoutLandlock() }, async () => {
  const told = await withoutFiles("linux/confinement.js", 'module.confineThread("prefer", {})');
  assert.match(told, /^OUT_OF_RESOURCES cannot confine a working thread: .*\(EMFILE\) .*ulimit -n\n$/);
});

test("a process that may not have the memory of WebAssembly is told so", async () => {
  await using stage = await setStage();
  await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
  const args = withUsualOptions([...placed.args, join(stage.place, "target")]);
  const { status, stderr } = await outcomeOf(process.execPath, ["--wasm-max-mem-pages=1", commandEntry, ...args]);
  assertClearError(stderr);
  assert.equal(status, 1);
  assert.match(stderr, /cannot decompress: .*memory as WebAssembly takes\nhint: .*ulimit -v/);
  assert.deepEqual(await readdir(stage.place), []);
});

test("no limit of processes ends the command without a word, once Node itself runs", {
  skip: skipUnlessRoot() || skipWithout("setpriv", "prlimit") || skipUnlessNodeIsOpen(),
}, async () => {
  const user = { uid: 61_236, gid: 61_236 }; // the limit counts all that a user runs: nobody else's test may
  const command = program();
  const run = (seconds: number, processes: number, ...args: readonly string[]) => {
    const limited = ["prlimit", `--nproc=${processes}`, process.execPath, ...args];
    return outcomeOf("setpriv", asUser(user, limited[0] ?? "", limited.slice(1)), {
      environment: { HOME: "/nonexistent", NODE_OPTIONS: command.nodeOptions },
      signal: AbortSignal.timeout(seconds * 1000),
    }).catch(() => undefined);
  };
  // Where there are too few for Node and libuv, they wait for ever or abort.
  const isEnough = async (processes: number) =>
    (await run(20, processes, "--eval", "require('fs').stat('/', () => {})"))?.status === 0;
  let processes = 9;
  while (!(await isEnough(processes))) processes += 1;
  for (const further of [0, 1, 2]) {
    const outcome = await run(180, processes + further, command.entry, "127.0.0.1:1/app", "/nonexistent/target");
    assert.ok(outcome !== undefined);
    assertClearError(outcome.stderr);
    assert.deepEqual([outcome.status, outcome.stdout], [1, ""]);
  }
});
