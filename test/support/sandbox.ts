import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { calls, declare } from "../../src/linux/libc.ts";

const VERSION = 1;

const askLandlock = declare<[number, null, number, number]>("syscall", ["long", "const void*", "long", "uint32_t"]);

/** The `skip` of a test of the sandbox. To ask whether there is one confines nobody. */
export function skipWithoutLandlock(): false | string {
  const answer = askLandlock(calls.landlockCreateRuleset, null, 0, VERSION);
  return answer < 0 ? `this machine has no Landlock (error ${-answer})` : false;
}

/** What makes Node go without a sandbox, for `NODE_OPTIONS`; `directory` holds these files. */
export function noSandbox(directory = fileURLToPath(new URL(".", import.meta.url))): string {
  return `--import ${join(directory, "no-sandbox.js")}`;
}

/** Whether these tests unpack as everybody does; where the machine has no Landlock, `run.ts` sees to it that they need none. */
export const isSandboxed = !process.env.NODE_OPTIONS?.includes(noSandbox());

/** To be in the environment of a program whose environment is otherwise its own. */
export const sandboxEnvironment: Readonly<Record<string, string>> = isSandboxed ? {} : { NODE_OPTIONS: noSandbox() };
