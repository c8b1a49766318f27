import assert from "node:assert/strict";
import { chmod, copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { asUser, ordinaryUser, program, skipUnlessNodeIsOpen } from "../hostile/as-user.ts";
import { type Outcome, outcomeOf } from "../support/command.ts";
import { image } from "../support/image.ts";
import { commandEntry, ociUnpack } from "../support/oci-unpack.ts";
import { isSandboxed, sandboxEnvironment } from "../support/sandbox.ts";
import { file, tarOf } from "../support/tar-builder.ts";
import { half, third } from "../support/thorough.ts";
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
  "files closed to everybody else": 'umask 077; "$@"',
  "files open to everybody": 'umask 000; "$@"',
  "128 open files": 'ulimit -n 128; "$@"',
  "no directory for temporary files": 'TMPDIR=/nonexistent "$@"',
  "U+FFFD in UTF-8": `name=$(printf '\\357\\277\\275'); mkdir "$name"; cd "$name"; "$@" --exclude "$name"`,
  "an empty name of a store": 'OCI_UNPACK_STORE= "$@"',
  "configurations of registries that nobody can read":
    'CONTAINERS_REGISTRIES_CONF=/nonexistent DOCKER_CONFIG=/proc "$@"',
};

describe("an image on this machine is unpacked with", () => {
  for (const [title, line] of third(Object.entries(harmless))) {
    test(title, async () => {
      await using stage = await setStage();
      const { status, stdout, stderr } = await inShell(stage, line);
      assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
      assert.deepEqual(await readdir(join(stage.place, "target")), ["config.json", "rootfs"]);
    });
  }
});

test("an image on this machine is unpacked by root also with files closed to everybody", {
  skip: skipUnlessRoot(),
}, async () => {
  await using stage = await setStage();
  const { status, stderr } = await inShell(stage, 'umask 777; "$@"');
  assert.deepEqual([status, stderr], [0, ""]);
  assert.deepEqual(await readdir(join(stage.place, "target")), ["config.json", "rootfs"]);
});

const harmful: Readonly<Record<string, readonly [line: string, message: RegExp]>> = {
  "a current directory that is gone": ['mkdir gone; cd gone; rmdir ../gone; "$@"', /it does not exist any more/],
  "an argument that is not UTF-8": [`"$@" --include "$(printf 'caf\\351')"`, /cannot use "caf\uFFFD": it is not UTF-8/],
  "a current directory that is not UTF-8": [
    `name=$(printf 'caf\\351'); mkdir "$name"; cd "$name"; "$@"; status=$?; cd ..; rmdir "$name"; exit $status`,
    /its name "[^"\n]*caf\uFFFD" is not UTF-8/,
  ],
  "files no larger than 64 KiB": ['ulimit -f 64; "$@"', /file too large/],
  "a store that is a file": ['OCI_UNPACK_STORE=/etc/passwd "$@"', /cannot make the store "\/etc\/passwd"/],
  "a time that is none": ['SOURCE_DATE_EPOCH=yesterday "$@"', /found "yesterday"/],
};

describe("one clear error, and nothing left, with", () => {
  for (const [title, [line, message]] of half(Object.entries(harmful))) {
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

test("files closed to everybody, their maker included, are one clear error to an ordinary user", {
  skip: process.getuid?.() === 0 && "root may open them all the same",
}, async () => {
  await using stage = await setStage();
  const { status, stderr } = await inShell(stage, 'umask 777; "$@"');
  assertClearError(stderr);
  assert.equal(status, 1);
  assert.match(stderr, /permission denied/);
  assert.deepEqual([await readdir(stage.place), await readdir(stage.temporary)], [[], []]);
});

test("less memory than an image needs is one clear error that says how to give more", async () => {
  await using stage = await setStage();
  const layer = tarOf(Array.from({ length: 60_000 }, (_, number) => file(`one/of-many-files-${number}`)));
  await using placed = await (places["oci:"] ?? assert.fail())({ ...none, image: image([layer]) }, stage);
  for (const args of half([
    ["ls", ...placed.args],
    ["--output", "tar", "-o", join(stage.place, "target"), ...placed.args],
  ])) {
    const { status, stdout, stderr } = await ociUnpack(withUsualOptions(args), {
      env: {
        TMPDIR: stage.temporary,
        NODE_OPTIONS: `--max-old-space-size=16 ${sandboxEnvironment.NODE_OPTIONS ?? ""}`,
      },
    });
    assertClearError(stderr);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /more memory than Node gives it\nhint: .*--max-old-space-size/);
    assert.deepEqual([await readdir(stage.place), await readdir(stage.temporary)], [[], []]);
  }
});

test("an installation of which parts are missing is one error, not a stack", async () => {
  await using stage = await setStage();
  await writeFile(join(stage.directory, "package.json"), '{"type":"module"}');
  for (const name of ["cli/main.js", "base/version.js"]) {
    await mkdir(dirname(join(stage.directory, name)));
    await copyFile(join(dirname(entry), "..", name), join(stage.directory, name));
  }
  const { status, stderr } = await outcomeOf(process.execPath, [join(stage.directory, "cli/main.js"), "--help"]);
  assert.equal(status, 1);
  assert.match(stderr, /^error: cannot go on: [^\n]*early-start\.js[^\n]*\nhint: [^\n]*install it again\n$/);
});

describe("an ordinary user", { skip: skipUnlessRoot() || skipWithout("setpriv") || skipUnlessNodeIsOpen() }, () => {
  test("needs no home, and no entry in the list of users", async () => {
    await using stage = await setStage();
    const command = program();
    await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
    await chmod(stage.directory, 0o755);
    await chmod(stage.place, 0o777);
    const args = withUsualOptions([...placed.args, join(stage.place, "target")]);
    const { status, stderr } = await command.run(ordinaryUser, args, "");
    assert.deepEqual([status, stderr], [0, ""]);
  });

  test("who has another one's home is told so", async () => {
    await using stage = await setStage();
    const command = program();
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

describe("a user who may have few threads", {
  skip: skipUnlessRoot() || skipWithout("setpriv", "prlimit") || skipUnlessNodeIsOpen(),
}, () => {
  const user = { uid: 61_235, gid: 61_235 }; // the limit counts all that a user runs: nobody else's test may
  for (const [spare, title] of [
    [0, "is told that the system has no more"],
    [1, "is told so although one has started"],
    [8, "is told nothing where they are enough"],
  ] as const) {
    test(title, async () => {
      await using stage = await setStage();
      const command = program();
      await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
      await chmod(stage.directory, 0o755);
      await chmod(stage.place, 0o777);
      const preload = ["--import", join(command.directory, "test/support/few-threads.js")];
      const args = [...preload, command.entry, ...withUsualOptions([...placed.args, join(stage.place, "target")])];
      const { status, stderr } = await outcomeOf("setpriv", asUser(user, process.execPath, args), {
        environment: {
          HOME: "/nonexistent",
          OCI_UNPACK_TEST_SPARE_THREADS: `${spare}`,
          NODE_OPTIONS: command.nodeOptions,
        },
      });
      if (spare === 8) return assert.deepEqual([status, stderr], [0, ""]);
      assertClearError(stderr);
      assert.equal(status, 1);
      assert.match(stderr, /cannot start a working thread: the system has no more/);
      assert.deepEqual(await readdir(stage.place), []);
    });
  }

  const kept = "{ keep: true, source: storedSource(localSource(), store(process.env.TMPDIR)) }";
  for (const [spare, options, title] of [
    [1, "{}", "has a program that ends, since no thread stays alone"],
    [4, "{ threads: 8 }", "has one that ends where not all threads that make files start"],
    [1, kept, "has one that ends where not all threads that clone start"],
  ] as const) {
    test(title, { timeout: 120_000 }, async () => {
      await using stage = await setStage();
      const command = program();
      await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
      await chmod(stage.directory, 0o755);
      for (const directory of [stage.place, stage.temporary]) await chmod(directory, 0o777);
      const [image, target] = [placed.args[0], join(stage.place, "target")].map((path) => JSON.stringify(path));
      const host = `
        const library = await import(${JSON.stringify(join(command.directory, "src/index.js"))});
        const { localSource, store, storedSource, unpack } = library;
        await unpack(${image}, ${target}, ${options}).catch(({ code }) => console.log(code));`;
      const preload = ["--import", join(command.directory, "test/support/few-threads.js")];
      const args = [...preload, "--input-type=module", "--eval", host];
      const { status, stdout } = await outcomeOf("setpriv", asUser(user, process.execPath, args), {
        environment: {
          HOME: "/nonexistent",
          TMPDIR: stage.temporary,
          OCI_UNPACK_TEST_SPARE_THREADS: `${spare}`,
          NODE_OPTIONS: command.nodeOptions,
        },
        signal: AbortSignal.timeout(90_000),
      });
      assert.deepEqual([status, stdout], [0, "OUT_OF_RESOURCES\n"]);
      assert.deepEqual(await readdir(stage.place), []);
    });
  }
});

async function inShell(stage: Stage, line: string): Promise<Outcome> {
  await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
  const sandbox = isSandboxed ? [] : ["--sandbox", "off"]; // a line may change the environment, too
  const args = withUsualOptions([...sandbox, ...placed.args, join(stage.place, "target")]);
  return await outcomeOf("sh", ["-c", line, "sh", process.execPath, commandEntry, ...args], {
    directory: stage.temporary,
    environment: { TMPDIR: stage.temporary, HOME: stage.temporary },
  });
}
