import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { commandEntry, ociUnpack } from "../support/oci-unpack.ts";
import { startRegistry } from "../support/registry-double.ts";

let directory = "";

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "oci-unpack-login-"));
});

after(() => rm(directory, { recursive: true, force: true }));

const ada = { username: "ada", password: "s3cret" };

test("a login with a piped password is kept where podman finds it, until the logout", async () => {
  await using registry = await startRegistry({ access: { type: "token", ...ada } });
  const { host } = registry;
  const authFile = join(directory, "piped.json");
  const login = ["login", "-u", "ada", "--password-stdin", "--authfile", authFile, host];
  assert.deepEqual(await ociUnpack(login, { input: "s3cret\n" }), {
    status: 0,
    signal: undefined,
    stdout: "",
    stderr: `the login for ${host} is kept in ${authFile}\n`,
  });
  assert.deepEqual(await loginsIn(authFile), { [host]: "ada:s3cret" });

  const logout = ["logout", "--authfile", authFile, host];
  const { status, stderr } = await ociUnpack(logout);
  assert.deepEqual([status, stderr], [0, `the login for ${host} is no longer in ${authFile}\n`]);
  assert.deepEqual(await loginsIn(authFile), {});
  assert.equal((await ociUnpack(logout)).stderr, `there was no login for ${host}\n`);
});

test("R-24: login --explain tells how the registry was asked, and not with what", async () => {
  await using registry = await startRegistry({ access: { type: "token", ...ada } });
  const authFile = join(directory, "explained.json");
  const login = ["login", "--explain", "-u", "ada", "--password-stdin", "--authfile", authFile, registry.host];
  const { status, stderr } = await ociUnpack(login, { input: "s3cret\n" });
  assert.equal(status, 0);
  assert.match(stderr, /^configuration: \S+registries\.conf is (read|not there)$/m);
  assert.match(stderr, /^challenge: 127\.0\.0\.1:\d+ asks for a login \(bearer\)$/m);
  assert.match(stderr, /^token: 127\.0\.0\.1:\d+ is sent the login, and asked for a token$/m);
  for (const secret of ["s3cret", ...registry.tokens]) assert.ok(!stderr.includes(secret));
});

test("a login that the registry rejects is kept nowhere, unless it is not to be tried", async () => {
  await using registry = await startRegistry({ access: { type: "basic", ...ada } });
  const authFile = join(directory, "rejected.json");
  const login = ["login", "-u", "ada", "--password-stdin", "--authfile", authFile, registry.host];
  const { status, stderr } = await ociUnpack(login, { input: "wrong-one" });
  assert.equal(status, 1);
  assert.match(stderr, /^error: cannot log in to \S+: the user name or the password is wrong: \S+ answers 401\nhint: /);
  assert.doesNotMatch(stderr, /wrong-one/);
  assert.ok(!existsSync(authFile));

  const asked = registry.requests.length;
  assert.equal((await ociUnpack([...login, "--no-verify"], { input: "wrong-one" })).status, 0);
  assert.deepEqual(await loginsIn(authFile), { [registry.host]: "ada:wrong-one" });
  assert.equal(registry.requests.length, asked);
});

test("a login at a registry that asks for none is kept, and said to be untried", async () => {
  await using registry = await startRegistry();
  const authFile = join(directory, "untried.json");
  const login = ["login", "-u", "ada", "--password-stdin", "--authfile", authFile, registry.host];
  const { status, stderr } = await ociUnpack(login, { input: "s3cret" });
  assert.deepEqual([status, stderr.split("\n")[0]], [0, `${registry.host} asks for no login, so this one is untried`]);
});

test("--deny-private holds for the question of a login, too", async () => {
  await using registry = await startRegistry({ access: { type: "basic", ...ada } });
  const { status, stderr } = await ociUnpack(
    ["login", "-u", "ada", "--password-stdin", "--deny-private", registry.host],
    {
      input: "s3cret",
    },
  );
  assert.equal(status, 1);
  assert.match(stderr, /is a loopback address/);
  assert.equal(registry.requests.length, 0);
});

test("without a terminal a password must be piped", async () => {
  const { status, stderr } = await ociUnpack(["login", "ghcr.io"]);
  assert.equal(status, 2);
  assert.match(stderr, /^error: cannot ask for a password: standard input is not a terminal\nhint: pipe it: /);
});

test("at a terminal user name and password are asked for, and the password is never shown", async () => {
  const authFile = join(directory, "asked.json");
  const session = await dialogue(
    ["login", "--no-verify", "--authfile", authFile, "ghcr.io"],
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
  const command = [process.execPath, commandEntry, ...args].map((word) => `'${word}'`).join(" ");
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
