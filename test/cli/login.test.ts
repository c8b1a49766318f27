import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ociUnpack } from "../support/oci-unpack.ts";

const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
let directory = "";

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "oci-unpack-login-"));
});

after(() => rm(directory, { recursive: true, force: true }));

test("a login with a piped password is kept where podman finds it, until the logout", async () => {
  const authFile = join(directory, "piped.json");
  const login = ["login", "-u", "ada", "--password-stdin", "--authfile", authFile, "registry.example:5000"];
  assert.deepEqual(await ociUnpack(login, { input: "s3cret\n" }), {
    status: 0,
    signal: undefined,
    stdout: "",
    stderr: `the login for registry.example:5000 is kept in ${authFile}\n`,
  });
  assert.deepEqual(await loginsIn(authFile), { "registry.example:5000": "ada:s3cret" });

  const logout = ["logout", "--authfile", authFile, "registry.example:5000"];
  const { status, stderr } = await ociUnpack(logout);
  assert.deepEqual([status, stderr], [0, `the login for registry.example:5000 is no longer in ${authFile}\n`]);
  assert.deepEqual(await loginsIn(authFile), {});
  assert.equal((await ociUnpack(logout)).stderr, "there was no login for registry.example:5000\n");
});

test("without a terminal a password must be piped", async () => {
  const { status, stderr } = await ociUnpack(["login", "ghcr.io"]);
  assert.equal(status, 2);
  assert.match(stderr, /^error: cannot ask for a password: standard input is no terminal\nhint: pipe it: /);
});

test("at a terminal user name and password are asked for, and the password is never shown", async () => {
  const authFile = join(directory, "asked.json");
  const session = await dialogue(
    ["login", "--authfile", authFile, "ghcr.io"],
    [
      ["User name: ", "ada\r"],
      ["Password: ", "s3cre\x7fet\r"],
    ],
  );
  assert.equal(session.status, 0);
  assert.deepEqual(await loginsIn(authFile), { "ghcr.io": "ada:s3cret" });
  assert.ok(session.shown.includes("ada"));
  assert.ok(!session.shown.includes("s3cre"), session.shown);
});

test("Ctrl-C at a hidden prompt ends the command as a signal would", async () => {
  const session = await dialogue(
    ["login", "-u", "ada", "--authfile", join(directory, "x.json"), "ghcr.io"],
    [["Password: ", "s3\x03"]],
  );
  assert.equal(session.status, 130);
});

/** Runs the command on a terminal of its own, types each answer after its question, and gives what the terminal showed. */
async function dialogue(
  args: readonly string[],
  steps: readonly (readonly [question: string, answer: string])[],
): Promise<{ status: number | null; shown: string }> {
  const command = [process.execPath, main, ...args].map((word) => `'${word}'`).join(" ");
  const terminal = spawn("script", ["--quiet", "--return", "--command", `stty sane; ${command}`, "/dev/null"]);
  let shown = "";
  let pending = [...steps];
  terminal.stdout.setEncoding("utf8").on("data", (text) => {
    shown += text;
    const [next] = pending;
    if (next === undefined || !shown.endsWith(next[0])) return;
    pending = pending.slice(1);
    terminal.stdin.write(next[1]);
  });
  const [status] = await once(terminal, "close");
  return { status, shown };
}

async function loginsIn(authFile: string): Promise<Record<string, string>> {
  const { auths } = JSON.parse(await readFile(authFile, "utf8")) as { auths: Record<string, { auth: string }> };
  return Object.fromEntries(
    Object.entries(auths).map(([name, { auth }]) => [name, Buffer.from(auth, "base64").toString()]),
  );
}
