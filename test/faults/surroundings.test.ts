import assert from "node:assert/strict";
import { chmod, copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ordinaryUser, program, skipUnlessNodeIsOpen } from "../hostile/as-user.ts";
import { type Outcome, outcomeOf } from "../support/command.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { assertClearError } from "./clear-error.ts";
import { type Fault, sample } from "./fault.ts";
import { places } from "./places.ts";
import { type Stage, setStage } from "./stage.ts";
import { withUsualOptions } from "./usual.ts";

const entry = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const none: Fault = { title: "none", image: sample, code: "INTERNAL" };

/** What a shell can do to a command before it runs it, as a line in which `$@` is the command. */
const harmless: Readonly<Record<string, string>> = {
  "no environment at all": 'env -i "$@"',
  "a home that is a file": 'HOME=/etc/passwd "$@"',
  "a home that is not there": 'HOME=/nonexistent "$@"',
  "a closed standard input": '"$@" <&-',
  "no standard streams": '"$@" <&- >&- 2>&-',
  "files closed to everybody": 'umask 777; "$@"',
  "files open to everybody": 'umask 000; "$@"',
  "128 open files": 'ulimit -n 128; "$@"',
  "no directory for temporary files": 'TMPDIR=/nonexistent "$@"',
  "an empty name of a store": 'OCI_UNPACK_STORE= "$@"',
  "configurations of registries that nobody can read":
    'CONTAINERS_REGISTRIES_CONF=/nonexistent DOCKER_CONFIG=/proc "$@"',
};

describe("an image on this machine is unpacked with", () => {
  for (const [title, line] of Object.entries(harmless)) {
    test(title, async () => {
      await using stage = await setStage();
      const { status, stdout, stderr } = await inShell(stage, line);
      assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
      assert.deepEqual(await readdir(join(stage.place, "target")), ["config.json", "rootfs"]);
    });
  }
});

const harmful: Readonly<Record<string, readonly [line: string, message: RegExp]>> = {
  "a current directory that is gone": ['mkdir gone; cd gone; rmdir ../gone; "$@"', /it does not exist any more/],
  "files no larger than 64 KiB": ['ulimit -f 64; "$@"', /file too large/],
  "a store that is a file": ['OCI_UNPACK_STORE=/etc/passwd "$@"', /cannot make the store "\/etc\/passwd"/],
  "a time that is none": ['SOURCE_DATE_EPOCH=yesterday "$@"', /found "yesterday"/],
};

describe("one clear error, and nothing left, with", () => {
  for (const [title, [line, message]] of Object.entries(harmful)) {
    test(title, async () => {
      await using stage = await setStage();
      const { status, stderr } = await inShell(stage, line);
      assertClearError(stderr);
      assert.ok(status === 1 || status === 2);
      assert.match(stderr, message);
      assert.deepEqual([await readdir(stage.place), await readdir(stage.temporary)], [[], []]);
    });
  }
});

test("an installation of which parts are missing is one error, not a stack", async () => {
  await using stage = await setStage();
  await writeFile(join(stage.directory, "package.json"), '{"type":"module"}');
  for (const name of ["main.js", "version.js"]) {
    await copyFile(join(dirname(entry), name), join(stage.directory, name));
  }
  const { status, stderr } = await outcomeOf(process.execPath, [join(stage.directory, "main.js"), "--help"]);
  assert.equal(status, 1);
  assert.match(stderr, /^error: cannot go on: [^\n]*run\.js[^\n]*\nhint: [^\n]*install anew\n$/);
});

describe("an ordinary user", { skip: skipUnlessRoot() || skipWithout("setpriv") || skipUnlessNodeIsOpen() }, () => {
  test("needs no home, and no entry in the list of users", async () => {
    await using stage = await setStage();
    using command = program();
    await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
    await chmod(stage.directory, 0o755);
    await chmod(stage.place, 0o777);
    const args = withUsualOptions([...placed.args, join(stage.place, "target")]);
    const { status, stderr } = await command.run(ordinaryUser, args, "");
    assert.deepEqual([status, stderr], [0, ""]);
  });

  test("who has another one's home is told so", async () => {
    await using stage = await setStage();
    using command = program();
    const home = join(stage.directory, "home");
    const configuration = join(home, ".config/containers");
    await mkdir(configuration, { recursive: true });
    await writeFile(join(configuration, "registries.conf"), "");
    await chmod(stage.directory, 0o755);
    await chmod(stage.place, 0o777);
    await chmod(join(configuration, "registries.conf"), 0o600);
    const args = withUsualOptions(["127.0.0.1:1/app", join(stage.place, "target")]);
    const { status, stderr } = await command.run(ordinaryUser, args, home);
    assertClearError(stderr);
    assert.equal(status, 1);
    assert.match(stderr, /registries\.conf": this user may not\nhint: .*set HOME/);
    assert.deepEqual(await readdir(stage.place), []);
  });
});

async function inShell(stage: Stage, line: string): Promise<Outcome> {
  await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
  const args = withUsualOptions([...placed.args, join(stage.place, "target")]);
  return await outcomeOf("sh", ["-c", line, "sh", process.execPath, entry, ...args], {
    directory: stage.temporary,
    environment: { TMPDIR: stage.temporary, HOME: stage.temporary },
  });
}
