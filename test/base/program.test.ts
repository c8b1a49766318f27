import assert from "node:assert/strict";
import { test } from "node:test";
import { Program, type ProgramOptions } from "../../src/base/program.ts";

const kept = { kept: "stdout", keptCharacters: 100 } as const;

function shell(script: string, options: Partial<ProgramOptions> = {}): Program {
  return new Program("/bin/sh", ["-c", script], { ...kept, ...options });
}

test("a program reads what is written to it, and one of its outputs is kept", async () => {
  const programs = (["stdout", "stderr"] as const).map((which) =>
    shell("cat; echo wrong >&2; exit 3", { kept: which }),
  );
  for (const program of programs) program.input.end("read");
  const ends = await Promise.all(programs.map(({ ended }) => ended));
  assert.deepEqual(
    ends,
    ["read", "wrong\n"].map((output) => ({ status: 3, signal: null, output, isCut: false })),
  );
});

test("a program runs in the directory and the environment that are given", async () => {
  const program = shell('pwd; echo "$GIVEN"', { directory: "/", env: { GIVEN: "given" } });
  assert.equal((await program.ended).output, "/\ngiven\n");
});

test("the end of a long output is kept", async () => {
  const { output, isCut } = await shell("printf %0100d 0; echo end").ended;
  assert.deepEqual({ length: output.length, end: output.slice(-4), isCut }, { length: 100, end: "end\n", isCut: true });
});

test("a program whose output may not be long is ended when it is", async () => {
  const end = await shell("while :; do echo more; done", { endsIfLonger: true }).ended;
  assert.deepEqual({ signal: end.signal, isCut: end.isCut }, { signal: "SIGKILL", isCut: true });
});

test("a program is ended when its signal aborts", async () => {
  const abort = new AbortController();
  const { ended } = shell("exec sleep 60", { signal: abort.signal });
  abort.abort();
  assert.equal((await ended).signal, "SIGKILL");
});

test("a program that is not there is an error", async () => {
  await assert.rejects(new Program("/there/is/none", [], kept).ended, { code: "ENOENT" });
});
