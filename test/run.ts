import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync } from "node:fs";
import { availableParallelism, constants, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeTree } from "./support/remove-tree.ts";
import { noSandbox, skipWithoutLandlock } from "./support/sandbox.ts";
import { searchPath } from "./support/tools.ts";

// Runs the tests under `node --test`, all of them or the files that are named:
//
//     node build/test/run.js [--OPTION-OF-NODE…] [FILE…]
//
// Each file has a deadline, which is only against hanging. The tests have a temporary directory of their own, and what
// they leave there, or leave running, is a failure; it is removed all the same. They find system administration's programs,
// whoever runs them. On a machine without Landlock tests of the sandbox are skipped, and the others unpack without it.

/** A file takes a minute or two at most where nothing else runs, and ten times as long on a machine that is busy. */
const fileDeadlineMilliseconds = 30 * 60 * 1000;

/**
 * Two more than there are processors: some tests wait, for a deadline that they try, for another process, or for the disk.
 * Measured with 40 s of tests on two processors, with one more: 42 s in all, with two more 35, and the same processor time.
 */
const filesAtOnce = availableParallelism() + 2;

/**
 * Node 20 aborts the process if V8 compiles for a thread, beside it, when that is ended, and just then wants to collect its
 * garbage (`NodePlatform::ForIsolate`, "Assertion failed: (data.first) != nullptr"). Tests end a hundred thousand threads
 * and more, so that it was seen twice. Whoever compiles in the thread itself has no such race. From Node 24 on a thread is
 * ended in another order.
 */
const withoutRace = Number.parseInt(process.versions.node, 10) < 24 ? ["--no-concurrent-recompilation"] : [];

const given = process.argv.slice(2);
const options = given.filter((argument) => argument.startsWith("--"));
const files = given.filter((argument) => !argument.startsWith("--"));

const temporary = mkdtempSync(join(tmpdir(), "oci-unpack-tests-"));
chmodSync(temporary, 0o1777); // as /tmp has it: some tests run as another user
const status = await statusOfTests(files.length > 0 ? files : allTests());
const left = readdirSync(temporary);
removeTree(temporary);
if (left.length > 0) console.error(`left in the temporary directory: ${left.join(", ")}`);
process.exitCode = left.length > 0 && status === 0 ? 1 : status;

function allTests(): string[] {
  const directory = fileURLToPath(new URL(".", import.meta.url));
  const names = readdirSync(directory, { encoding: "utf8", recursive: true });
  return names
    .filter((name) => name.endsWith(".test.js"))
    .sort()
    .map((name) => join(directory, name));
}

/** The exit status of Node's test runner, as a shell tells it. */
function statusOfTests(tests: readonly string[]): Promise<number> {
  const reporter = fileURLToPath(new URL("support/slowest-files.js", import.meta.url));
  const settings = [
    ...withoutRace,
    ...["--test", `--test-concurrency=${filesAtOnce}`, `--test-timeout=${fileDeadlineMilliseconds}`],
    ...(options.length > 0 ? options : ["--test-reporter=spec"]),
    ...["--test-reporter-destination=stdout", `--test-reporter=${reporter}`, "--test-reporter-destination=stderr"],
  ];
  // A process group of its own, to end what a test that was ended by its deadline left running.
  const runner = spawn(process.execPath, [...settings, ...tests], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...withoutLandlock(), PATH: searchPath().join(delimiter), TMPDIR: temporary },
    detached: true,
  });
  const endAll = (signal: NodeJS.Signals) => {
    try {
      if (runner.pid !== undefined) process.kill(-runner.pid, signal);
    } catch {
      // Nobody is left.
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => endAll(signal));
  return new Promise((resolve, reject) => {
    runner.once("error", reject);
    runner.once("exit", (code, signal) => {
      endAll("SIGKILL");
      resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]);
    });
  });
}

/** What the tests' environment has besides where there is no sandbox. */
function withoutLandlock(): { readonly NODE_OPTIONS?: string } {
  const missing = skipWithoutLandlock();
  if (missing === false) return {};
  console.error(`${missing}: tests of the sandbox are skipped, and the others unpack without it`);
  return { NODE_OPTIONS: [process.env.NODE_OPTIONS, noSandbox()].filter(Boolean).join(" ") };
}
