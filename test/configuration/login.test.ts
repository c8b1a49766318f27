import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, chown, mkdir, readdir, stat, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { dockerCredentials } from "../../src/configuration/credentials.ts";
import { login, logout } from "../../src/configuration/login.ts";
import { dockerRegistry } from "../support/docker-registry.ts";
import { skipUnlessMounting, skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { auth, type TestMachine, testMachine } from "./machine.ts";

const me = { username: "me", password: "pass:wörd" };
const run = promisify(execFile);

/** The machine as its own user sees it, who is whoever runs the tests. */
function mine(machine: TestMachine): TestMachine {
  return Object.assign(machine, { uid: process.getuid?.() ?? 0 });
}

async function json(machine: TestMachine, name: string): Promise<unknown> {
  return JSON.parse(await machine.read(name));
}

test("R-24: what login writes is what a pull finds, and logout forgets it", async (context) => {
  const machine = mine(await testMachine(context));
  const file = machine.path("run/containers/auth.json");

  assert.equal(await login("r.example:5000", me, machine), file);
  assert.deepEqual(await dockerCredentials(machine)("r.example:5000", "ns/image"), {
    ...me,
    origin: `${file}, auths["r.example:5000"]`,
  });

  assert.deepEqual(await logout("r.example:5000", machine), [file]);
  assert.equal(await dockerCredentials(machine)("r.example:5000", "ns/image"), undefined);
  assert.deepEqual(await logout("r.example:5000", machine), []);
});

test("R-24: login writes to the named file, then to $REGISTRY_AUTH_FILE, then to podman's own", async (context) => {
  const machine = mine(await testMachine(context));
  const withVariable = { ...machine, env: { ...machine.env, REGISTRY_AUTH_FILE: machine.path("variable.json") } };
  assert.equal(
    await login("r.example", me, { ...withVariable, authFile: machine.path("option.json") }),
    machine.path("option.json"),
  );
  assert.equal(await login("r.example", me, withVariable), machine.path("variable.json"));
  assert.equal(await login("r.example", me, machine), machine.path("run/containers/auth.json"));
});

test("a login that has no place on a read-only file system is told so", {
  skip: skipUnlessMounting(),
}, async (context) => {
  const machine = mine(await testMachine(context));
  const directory = machine.path("read-only");
  await mkdir(directory);
  await run("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", directory]);
  try {
    // Node's mkdir calls a missing directory there ENOENT.
    await assert.rejects(login("r.example", me, { ...machine, authFile: `${directory}/home/.config/auth.json` }), {
      message: /auth\.json": read-only file system \(EROFS\)/,
    });
  } finally {
    await run("umount", [directory]);
  }
});

test("R-24: without a directory for what is gone after the next boot, login writes to ~/.config", async (context) => {
  const machine = mine(await testMachine(context, { files: { "not-a-directory": "" } }));
  const withoutRuntime = { ...machine, env: { ...machine.env, XDG_RUNTIME_DIR: machine.path("not-a-directory/run") } };
  const file = await login("r.example", me, withoutRuntime);
  assert.ok(file.endsWith("/containers/auth.json") && !file.startsWith(machine.path("not-a-directory")), file);
  assert.deepEqual(await dockerCredentials(withoutRuntime)("r.example", "image"), {
    ...me,
    origin: `${file}, auths["r.example"]`,
  });
  assert.deepEqual(await logout("r.example", withoutRuntime), [file]);
});

test("R-24: logout forgets a login in each place where login may have kept it", async (context) => {
  const entry = { auths: { "r.example": auth("me", "p") } };
  const files = { "run/containers/auth.json": entry, "config/containers/auth.json": entry };
  const machine = mine(await testMachine(context, { files }));
  const env = { ...machine.env, XDG_CONFIG_HOME: machine.path("config") };
  assert.deepEqual(
    await logout("r.example", { ...machine, env }),
    Object.keys(files).map((name) => machine.path(name)),
  );
});

test("R-24: only its owner may read what login writes, even where others could before", async (context) => {
  const machine = mine(await testMachine(context, { files: { "run/containers/auth.json": "{}" } }));
  const file = machine.path("run/containers/auth.json");
  await chmod(file, 0o644);
  await login("r.example", me, machine);
  assert.equal((await stat(file)).mode & 0o777, 0o600);

  const fresh = mine(await testMachine(context));
  await login("r.example", me, fresh);
  assert.equal((await stat(fresh.path("run/containers/auth.json"))).mode & 0o777, 0o600);
  assert.equal((await stat(fresh.path("run/containers"))).mode & 0o777, 0o700);
});

test("R-24: login and logout keep everything else in the file", async (context) => {
  const before = {
    auths: { "other.example": auth("you", "p"), "r.example/ns": auth("part", "p") },
    credHelpers: { "helped.example": "fake" },
    somethingNew: [1, { two: 3 }],
  };
  const machine = mine(await testMachine(context, { files: { "run/containers/auth.json": before } }));
  await login("r.example", me, machine);
  assert.deepEqual(await json(machine, "run/containers/auth.json"), {
    ...before,
    auths: { ...before.auths, "r.example": auth(me.username, me.password) },
  });
  await logout("r.example", machine);
  assert.deepEqual(await json(machine, "run/containers/auth.json"), before);
  assert.deepEqual(await readdir(machine.path("run/containers")), ["auth.json"]);
});

test("R-3: Docker Hub is one registry to login and logout, whatever it is called", async (context) => {
  const machine = mine(
    await testMachine(context, {
      files: { "run/containers/auth.json": { auths: { "https://index.docker.io/v1/": auth("old", "p") } } },
    }),
  );
  for (const name of ["docker.io", "https://index.docker.io/v1/", "index.docker.io", "https://registry-1.docker.io"]) {
    await login(name, me, machine);
    const credential = await dockerCredentials(machine)("docker.io", "library/debian");
    assert.ok(credential !== undefined && "username" in credential && credential.username === "me", name);
  }
  await logout("index.docker.io", machine);
  assert.deepEqual(await json(machine, "run/containers/auth.json"), { auths: {} });
});

test("R-24: a part of a registry can have a login of its own", async (context) => {
  const machine = mine(await testMachine(context));
  await login("r.example/acme", me, machine);
  assert.equal(await dockerCredentials(machine)("r.example", "other/image"), undefined);
  assert.notEqual(await dockerCredentials(machine)("r.example", "acme/image"), undefined);
});

test("R-26: where the file names a helper, the helper gets the password and the file does not", async (context) => {
  const machine = mine(
    await testMachine(context, {
      files: { "run/containers/auth.json": { credHelpers: { "r.example": "fake" } } },
      env: { STORE: "@/store" },
      programs: {
        "docker-credential-fake": `case $1 in store) cat > "$STORE";; get) cat "$STORE";; erase) rm "$STORE";; esac`,
      },
    }),
  );
  assert.equal(await login("r.example", me, machine), "docker-credential-fake");
  assert.deepEqual(await json(machine, "store"), { ServerURL: "r.example", Username: "me", Secret: me.password });
  assert.deepEqual(await json(machine, "run/containers/auth.json"), { credHelpers: { "r.example": "fake" } });
  assert.deepEqual(await logout("r.example", machine), ["docker-credential-fake"]);
  await assert.rejects(machine.read("store"), { code: "ENOENT" });
});

test("login refuses a file that is a symlink, or lies where others may replace it, and leaves no trace", async (context) => {
  const machine = mine(await testMachine(context, { files: { "real.json": "{}" } }));
  await symlink(machine.path("real.json"), machine.path("link.json"));
  await mkdir(machine.path("open"));
  await chmod(machine.path("open"), 0o777);

  for (const authFile of [machine.path("link.json"), machine.path("open/auth.json")]) {
    await assert.rejects(login("r.example", me, { ...machine, authFile }), (error) =>
      isOciUnpackError(error, "INVALID_OPTION"),
    );
  }
  assert.equal(await machine.read("real.json"), "{}");
  assert.deepEqual(await readdir(machine.path("open")), []);
});

test("login refuses another user's file", { skip: skipUnlessRoot() }, async (context) => {
  const machine = mine(await testMachine(context, { files: { "auth.json": "{}" } }));
  await chown(machine.path("auth.json"), 65534, 65534);
  await assert.rejects(login("r.example", me, { ...machine, authFile: machine.path("auth.json") }), (error) =>
    isOciUnpackError(error, "INVALID_OPTION"),
  );
});

test("login refuses what it could not find again: an empty password, a user with a colon, a name that is no registry", async (context) => {
  const machine = mine(await testMachine(context));
  const refused = (registry: string, credential: typeof me) =>
    assert.rejects(login(registry, credential, machine), (error) => isOciUnpackError(error, "INVALID_OPTION"));
  await refused("r.example", { username: "me", password: "" });
  await refused("r.example", { username: "m:e", password: "p" });
  for (const name of ["", "a b", "r.example/UPPER", "r.example/../x", "http://"]) await refused(name, me);
  await assert.rejects(readdir(machine.path("run")), { code: "ENOENT" });
});

test("a login to a file that is not JSON leaves the file as it is", async (context) => {
  const machine = mine(await testMachine(context, { files: { "run/containers/auth.json": "{ broken" } }));
  await assert.rejects(login("r.example", me, machine), (error) => isOciUnpackError(error, "CONFIGURATION"));
  assert.equal(await machine.read("run/containers/auth.json"), "{ broken");
});

test("R-24: skopeo's login is ours and ours is skopeo's", {
  skip: skipWithout("skopeo", "docker-registry"),
}, async (context) => {
  await using registry = await dockerRegistry();
  const machine = mine(await testMachine(context));
  const [theirs, ours] = [machine.path("theirs/auth.json"), machine.path("ours/auth.json")];
  await mkdir(dirname(theirs));
  await run("skopeo", [
    "login",
    "--tls-verify=false",
    "--authfile",
    theirs,
    "-u",
    me.username,
    "-p",
    me.password,
    registry.host,
  ]);
  await login(registry.host, me, { ...machine, authFile: ours });

  const credential = await dockerCredentials({ ...machine, authFile: theirs })(registry.host, "a");
  assert.deepEqual(credential, { ...me, origin: `${theirs}, auths["${registry.host}"]` });
  const { stdout } = await run("skopeo", ["login", "--get-login", "--authfile", ours, registry.host]);
  assert.equal(stdout.trim(), "me");
  assert.deepEqual(await json(machine, "ours/auth.json"), await json(machine, "theirs/auth.json"));

  await run("skopeo", ["logout", "--authfile", ours, registry.host]);
  assert.equal(await dockerCredentials({ ...machine, authFile: ours })(registry.host, "a"), undefined);
});
