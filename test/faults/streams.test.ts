import assert from "node:assert/strict";
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { store } from "../../src/index.ts";
import { BlobStore } from "../../src/store/blob-store.ts";
import { readNames } from "../../src/store/stored-index.ts";
import { outcomeOf } from "../support/command.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { half, third } from "../support/thorough.ts";
import { skipUnlessMounting } from "../support/tools.ts";
import { assertClearError } from "./clear-error.ts";
import { type Fault, sample, topLayerOf } from "./fault.ts";
import { outcomeInNamespace } from "./namespace.ts";
import { places } from "./places.ts";
import { type Stage, setStage } from "./stage.ts";
import { withUsualOptions } from "./usual.ts";

const none: Fault = { title: "none", image: sample, code: "INTERNAL" };

/** Everything that writes to standard output more than a pipe holds. */
const streamed: Readonly<Record<string, (image: string) => readonly string[]>> = {
  tar: (image) => ["--output", "tar", "-o", "-", image],
  "oci-archive": (image) => ["--output", "oci-archive", "-o", "-", image],
  "docker-archive": (image) => ["--output", "docker-archive", "-o", "-", image],
};
/** To see the beginning of a file is no fault, so a reader of this one may leave early. */
const shown = { cat: (image: string) => ["cat", image, "large"] };

// Who reads the beginning of a file has got what was wanted (test/cli/look.test.ts); of an archive that is of no use.
const { cat: _cat, ...archives } = streamed;

for (const [name, args] of third(Object.entries(archives))) {
  test(`${name}: a reader that leaves early is one clear error`, async () => {
    await using stage = await setStage();
    const { stdout, stderr } = await inShell(stage, `{ { "$@"; echo $? >&3; } | head -c 1 > /dev/null; } 3>&1`, args);
    assertClearError(stderr);
    assert.equal(stdout, "1\n");
    assert.match(stderr, /broken pipe/);
    assert.deepEqual(await readdir(stage.temporary), []);
  });
}

const writing = Object.entries({
  ...streamed,
  ...shown,
  ls: (image: string) => ["ls", image],
  inspect: (image: string) => ["inspect", image],
  // Which else would tell that something is different.
  "sync --dry-run": (image: string) => ["sync", "--dry-run", "/nonexistent/target", image],
});
for (const [name, args] of half(writing)) {
  test(`${name}: a full disk behind standard output is one clear error`, async () => {
    await using stage = await setStage();
    const { status, stderr } = await inShell(stage, `"$@" > /dev/full`, args);
    assertClearError(stderr);
    assert.equal(status, 1);
    assert.match(stderr, /no space left on device/);
    assert.deepEqual(await readdir(stage.temporary), []);
  });
}

test("messages that nobody can read are no reason to stop", async () => {
  await using stage = await setStage();
  const { status } = await inShell(stage, `"$@" 2> /dev/full`, (image) => [image, join(stage.place, "target")]);
  assert.equal(status, 0);
  assert.deepEqual(await readdir(join(stage.place, "target")), ["config.json", "rootfs"]);
});

/** What needs room for temporary files, and how it is called. */
const temporary: Readonly<Record<string, (stage: Stage, archive: string) => readonly string[]>> = {
  "a compressed archive as source": ({ place }, archive) => [`oci-archive:${archive}:1`, join(place, "target")],
  "an archive on standard output": (_stage, archive) => ["--output", "tar", "-o", "-", `oci-archive:${archive}:1`],
  "the data of an archive's files": ({ directory }) => [
    "--output",
    "tar",
    "-o",
    "-",
    `oci-archive:${join(directory, "layout.tar")}:1`,
  ],
  cat: (_stage, archive) => ["cat", `oci-archive:${archive}:1`, "large"],
};

describe("temporary files", { skip: skipUnlessMounting("tar") }, () => {
  for (const [number, [name, args]] of Object.entries(temporary).entries()) {
    const troubles = [
      ["no room", "size=64k", /no space left on device/],
      ["a read-only file system", "ro", /read-only file system/],
    ] as const;
    for (const [trouble, options, message] of half(troubles, number)) {
      test(`${trouble} for those of ${name} is one clear error that names their directory`, async () => {
        await using stage = await setStage();
        await using _placed = await (places["oci-archive:"] ?? assert.fail())(none, stage);
        const archive = await compressed(join(stage.directory, "layout.tar"));
        const { status, stderr } = await outcomeInNamespace({
          mounts: `mount -t tmpfs -o ${options} tmpfs '${stage.temporary}'`,
          args: args(stage, archive),
          temporary: stage.temporary,
          watched: [stage.place, stage.temporary],
        });
        assertClearError(stderr);
        assert.equal(status, 1);
        assert.match(stderr, message);
        assert.ok(stderr.includes(`a temporary file in "${stage.temporary}"`), stderr);
      });
    }
  }
});

describe("a store", { skip: skipUnlessMounting() }, () => {
  test("on a full disk keeps nothing that is not whole, and the target is left as it was", async () => {
    await using stage = await setStage();
    await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
    const path = join(stage.directory, "store");
    // Room for the documents and the lower layer, not for the upper one. A copy of what is left survives the mount.
    const { status, stderr } = await outcomeInNamespace({
      mounts: `
        mkdir '${path}' '${path}.after'
        mount -t tmpfs -o size=64k tmpfs '${path}'
        trap "cp -a '${path}/.' '${path}.after'" EXIT`,
      args: ["--store", path, ...placed.args, join(stage.place, "target")],
      temporary: stage.temporary,
      watched: [stage.place, stage.temporary],
    });
    assertClearError(stderr);
    assert.equal(status, 1);
    assert.match(stderr, /cannot keep blob sha256:\w+ in the store ".*\/store": no space left on device/);
    const { corrupt } = await store(`${path}.after`).verify();
    assert.deepEqual(corrupt, []);
    assert.deepEqual(await readNames(new BlobStore(`${path}.after`)), []);
    await stage.succeeds(["--store", `${path}.after`, ...placed.args, join(stage.place, "target")]);
  });

  test("on a read-only file system is one clear error", async () => {
    await using stage = await setStage();
    await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
    const { status, stderr } = await outcomeInNamespace({
      mounts: `mount -t tmpfs -o ro tmpfs '${stage.place}'`,
      args: ["--store", join(stage.place, "store"), ...placed.args, join(stage.directory, "target")],
      temporary: stage.temporary,
      watched: [stage.directory],
    });
    assertClearError(stderr);
    assert.equal(status, 1);
    assert.match(stderr, /cannot make the store "[^"]+": read-only file system/);
  });

  test("that can only be read gives what it has offline, and is else one clear error", async () => {
    await using stage = await setStage();
    await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
    const path = join(stage.directory, "store");
    await stage.keeps(placed.args[0] ?? "", path);
    const withStore = (options: readonly string[]) =>
      outcomeInNamespace({
        mounts: `mount --bind '${path}' '${path}'; mount -o remount,bind,ro '${path}'`,
        args: ["--store", path, ...options, ...placed.args, join(stage.place, "target")],
        temporary: stage.temporary,
        watched: [path, stage.temporary],
      });
    const online = await withStore([]);
    assertClearError(online.stderr);
    assert.match(online.stderr, /cannot use the store "[^"]+": read-only file system/);
    assert.deepEqual(await readdir(stage.place), []);
    const offline = await withStore(["--offline"]);
    assert.deepEqual([offline.status, offline.stderr], [0, ""]);
    await rm(join(stage.place, "target"), { recursive: true });

    const blob = join(path, "blobs", topLayerOf(sample).replace(":", "/"));
    await chmod(blob, 0o600);
    await writeFile(blob, (await readFile(blob)).fill(0, 0, 20));
    const damaged = await withStore(["--offline"]);
    assertClearError(damaged.stderr);
    assert.match(damaged.stderr, /cannot remove blob sha256:\w+ from the store "[^"]+": read-only file system/);
    assert.deepEqual(await readdir(stage.place), []);
  });

  test("that can only be read is listed and verified; it cannot be pruned, which is one clear error", async () => {
    await using stage = await setStage();
    await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
    const path = join(stage.directory, "store");
    await stage.keeps(placed.args[0] ?? "", path);
    const what = async (action: string) =>
      await outcomeInNamespace({
        mounts: `mount --bind '${path}' '${path}'; mount -o remount,bind,ro '${path}'`,
        args: ["store", action, "--store", path],
        temporary: stage.temporary,
        watched: [path, stage.temporary],
      });
    for (const action of ["list", "verify"]) {
      const { status, stdout, stderr } = await what(action);
      assert.deepEqual([status, stderr], [0, ""]);
      assert.match(stdout, /index/);
    }
    const pruned = await what("prune");
    assertClearError(pruned.stderr);
    assert.match(pruned.stderr, /cannot use the store "[^"]+": read-only file system/);
  });

  test("cannot be made in a directory that can only be read", async () => {
    await using stage = await setStage();
    await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
    const { stderr } = await outcomeInNamespace({
      mounts: `mount -t tmpfs -o ro tmpfs '${stage.place}'`,
      args: ["--store", stage.place, ...placed.args, join(stage.directory, "target")],
      temporary: stage.temporary,
      watched: [stage.directory],
    });
    assertClearError(stderr);
    assert.match(stderr, /cannot make the store "[^"]+": read-only file system/);
  });
});

test("a store in the place of a file, or of somebody else's directory, is one clear error", async () => {
  await using stage = await setStage();
  await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
  await writeFile(join(stage.directory, "file"), "precious");
  for (const [path, code] of [
    [join(stage.directory, "file"), "FILE_SYSTEM"],
    [stage.directory, "TARGET_NOT_EMPTY"],
  ] as const) {
    const told = await stage.fails(["--store", path, ...placed.args, join(stage.place, "target")]);
    assert.equal(told.code, code, told.message);
  }
});

/** Runs a shell's line in which `$@` is the command. */
async function inShell(
  stage: Stage,
  line: string,
  args: (image: string) => readonly string[],
): ReturnType<typeof outcomeOf> {
  await using placed = await (places["oci:"] ?? assert.fail())(none, stage);
  const command = [process.execPath, commandEntry, ...withUsualOptions(args(placed.args[0] ?? ""))];
  return await outcomeOf("sh", ["-c", line, "sh", ...command], { environment: { TMPDIR: stage.temporary } });
}

async function compressed(archive: string): Promise<string> {
  await writeFile(`${archive}.gz`, gzipSync(await readFile(archive)));
  return `${archive}.gz`;
}
