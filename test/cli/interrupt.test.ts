import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

const interruptModule = new URL("../../src/cli/interrupt.js", import.meta.url).href;

/**
 * A program whose work goes on after an abort until it is told to finish, or for ever. It is told how late it is, too:
 * when a signal comes says whether it is the second one.
 */
const program = `
  let now = 0;
  performance.now = () => now;
  import { interruptible } from ${JSON.stringify(interruptModule)};
  const interruption = interruptible({
    interrupted: () => console.log("cleaning up"),
    ending: () => console.log("ending"),
  });
  const alive = setInterval(() => {}, 1000);
  process.stdin.on("data", (text) => {
    if (String(text) === "finish\\n") process.exit(interruption.signal.reason?.exitCode ?? 0);
    now = Number(text);
    console.log("it is " + now);
  });
  console.log("working");
`;

for (const [signal, exitCode] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  test(`${signal} lets the work clean up and ends with ${exitCode}`, async () => {
    const child = await started();
    child.kill(signal);
    assert.equal(await line(child), "cleaning up\n");
    child.stdin?.write("finish\n");
    assert.deepEqual(await once(child, "close"), [exitCode, null]);
  });
}

test("a second signal ends a clean-up that hangs at once, the terminal restored first", async () => {
  const child = await started();
  child.kill("SIGINT");
  assert.equal(await line(child), "cleaning up\n");
  await later(child, 501);
  const said = line(child);
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "close"), [null, "SIGTERM"], "which a shell calls 143");
  assert.equal(await said, "ending\n");
});

test("a signal that comes twice at once, as timeout(1) sends it, lets the work clean up", async () => {
  const child = await started();
  child.kill("SIGTERM");
  assert.equal(await line(child), "cleaning up\n");
  await later(child, 499);
  child.kill("SIGTERM");
  await later(child, 500); // it would be gone by now: a signal is heard before what comes after it
  child.stdin?.write("finish\n");
  assert.deepEqual(await once(child, "close"), [143, null]);
});

async function started(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program]);
  child.stdout.setEncoding("utf8");
  assert.equal(await line(child), "working\n");
  return child;
}

/** Tells a program how many milliseconds have passed. */
async function later(child: ChildProcess, milliseconds: number): Promise<void> {
  child.stdin?.write(`${milliseconds}\n`);
  assert.equal(await line(child), `it is ${milliseconds}\n`);
}

async function line(child: ChildProcess): Promise<unknown> {
  assert.ok(child.stdout);
  const [text] = await once(child.stdout, "data");
  return text;
}
