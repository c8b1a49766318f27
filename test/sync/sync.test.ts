import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  isOciUnpackError,
  type SyncOptions,
  type SyncResult,
  sourceFor,
  store,
  storedSource,
  sync,
  unpack,
  verify,
} from "../../src/index.ts";
import { readTree } from "../rules/real-tree.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { scratch } from "../support/scratch.ts";
import { device, directory, file, hardlink, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { shareOf } from "../support/thorough.ts";
import { skipUnlessRoot } from "../support/tools.ts";

const time = { seconds: 1_600_000_000, nanoseconds: 5 };
const base = tar(
  directory("./", { mtime: time }),
  directory("bin", { mtime: time }),
  file("bin/true", "true", { mode: 0o755, mtime: time }),
  file("bin/su", "su", { mode: 0o4755 }),
  hardlink("bin/su2", "bin/su"),
  symlink("bin/sh", "true"),
  directory("etc", { mtime: time }),
  file("etc/motd", "x".repeat(300_000)),
  file("etc/old", "old"),
  file("empty"),
);
const next = tar(file("etc/motd", "hello"), whiteout("etc/old"), directory("new"), file("new/file", "new"));
const images = [image([base]), image([base, next])];

interface Stage extends AsyncDisposable {
  /** The name of a version of the image. */
  readonly v0: string;
  readonly v1: string;
  /** A directory that the first version was unpacked into, and the root filesystem in it. */
  readonly target: string;
  readonly root: string;
  path(name: string): string;
}

async function setStage(): Promise<Stage> {
  const place = await scratch();
  const path = (name: string) => join(place.directory, name);
  const tagged = images.map((each, index) => ({ tag: `v${index}`, images: [each] }));
  await writeImageLayout(path("layout"), tagged);
  const [v0, v1] = [`oci:${path("layout")}:v0`, `oci:${path("layout")}:v1`];
  await unpack(v0, path("target"));
  const [target, root] = [path("target"), path("target/rootfs")];
  return { v0, v1, target, root, path, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

function counts({ added, removed, changed, unchanged }: SyncResult): readonly number[] {
  return [added, removed, changed, unchanged];
}

/** What is in a directory besides the files of its root. */
function names(path: string): readonly string[] {
  return readdirSync(path).sort();
}

type Case = readonly [title: string, options: { readonly skip?: string | boolean }, work: () => Promise<void>];

const cases: Case[] = [];

/** A test that is one of many, of which a share is tried by default. */
function inTurn(title: string, ...[first, second]: [Case[2]] | [Case[1], Case[2]]): void {
  cases.push(second === undefined ? [title, {}, first as Case[2]] : [title, first as Case[1], second]);
}

async function assertIs(target: string, name: string): Promise<void> {
  assert.deepEqual((await verify(target, name)).differences, []);
  assert.deepEqual(names(target), ["config.json", "rootfs"]);
}

inTurn("a directory that is not there becomes what unpacking makes", async () => {
  await using stage = await setStage();
  const [made, fresh] = [stage.path("a/made"), stage.path("fresh")];
  await unpack(stage.v1, fresh);
  const result = await sync(stage.v1, made);
  assert.deepEqual(counts(result), [11, 0, 0, 0]);
  assert.equal(result.previousDigest, undefined);
  assert.deepEqual(readTree(join(made, "rootfs")), readTree(join(fresh, "rootfs")));
  assert.deepEqual(readFileSync(join(made, "config.json")), readFileSync(join(fresh, "config.json")));
  await assertIs(made, stage.v1);
});

test("an untouched directory is not written to", async () => {
  await using stage = await setStage();
  const before = [stage.target, stage.root].map((path) => lstatSync(path, { bigint: true }));
  const result = await sync(stage.v0, stage.target);
  assert.deepEqual(counts(result), [0, 0, 0, 10]);
  assert.equal(result.previousDigest, result.digest);
  const after = [stage.target, stage.root].map((path) => lstatSync(path, { bigint: true }));
  for (const [index, { ino, ctimeNs }] of after.entries()) {
    assert.deepEqual({ ino, ctimeNs }, { ino: before[index]?.ino, ctimeNs: before[index]?.ctimeNs });
  }
});

test("another version replaces what differs, and the files that stay are the same files", async () => {
  await using stage = await setStage();
  const { target, root } = stage;
  await unpack(stage.v1, stage.path("fresh"));
  const kept = lstatSync(join(root, "bin/su")).ino;
  const old = readFileSync(join(root, "etc/motd"), "utf8");
  linkSync(join(root, "etc/motd"), stage.path("held"));
  const result = await sync(stage.v1, target);
  assert.deepEqual(counts(result), [2, 1, 1, 8]);
  assert.equal(result.writtenBytes, "hello".length + "new".length);
  assert.equal(lstatSync(join(root, "bin/su")).ino, kept);
  assert.deepEqual(readTree(root), readTree(stage.path("fresh/rootfs")));
  assert.equal(readFileSync(stage.path("held"), "utf8"), old); // it was not changed in place
  await assertIs(target, stage.v1);
  await sync(stage.v0, target);
  await assertIs(target, stage.v0);
});

test("damage of every kind is repaired, and nothing outside is touched", async () => {
  await using stage = await setStage();
  const { target, root } = stage;
  mkdirSync(stage.path("outside"));
  writeFileSync(stage.path("outside/motd"), "canary");
  const { atime, mtime } = statSync(join(root, "bin/true"));
  writeFileSync(join(root, "bin/true"), "eurt");
  utimesSync(join(root, "bin/true"), atime, mtime);
  chmodSync(join(root, "empty"), 0o600);
  rmSync(join(root, "bin/su2"));
  writeFileSync(join(root, "bin/su2"), "su");
  rmSync(join(root, "etc"), { recursive: true });
  symlinkSync(stage.path("outside"), join(root, "etc"));
  mkdirSync(join(root, "extra/deep"), { recursive: true });
  unlinkSync(join(root, "bin/sh"));
  mkdirSync(join(root, "bin/sh"));
  const result = await sync(stage.v0, target);
  assert.deepEqual(counts(result), [0, 2, 6, 2]);
  await assertIs(target, stage.v0);
  assert.deepEqual(names(stage.path("outside")), ["motd"]);
  assert.equal(readFileSync(stage.path("outside/motd"), "utf8"), "canary");
});

inTurn("where only attributes differ, the data of the new file come from the disk", async () => {
  await using stage = await setStage();
  const before = lstatSync(join(stage.root, "etc/motd")).ino;
  chmodSync(join(stage.root, "etc/motd"), 0o600);
  await using source = storedSource(sourceFor(stage.v0), store(stage.path("store")));
  await sync(stage.v0, stage.path("other"), { source }); // now the store knows the layer
  const result = await sync(stage.v0, stage.target, { source });
  assert.deepEqual(counts(result), [0, 0, 1, 9]);
  assert.equal(result.writtenBytes, 300_000);
  assert.equal(result.readLayers, 0);
  assert.notEqual(lstatSync(join(stage.root, "etc/motd")).ino, before);
  await assertIs(stage.target, stage.v0);
});

inTurn("names that are not one file become one, and names that are one file become several", async () => {
  await using stage = await setStage();
  const { root, target } = stage;
  unlinkSync(join(root, "bin/su"));
  writeFileSync(join(root, "bin/su"), "su");
  unlinkSync(join(root, "empty"));
  linkSync(join(root, "etc/old"), join(root, "empty"));
  await sync(stage.v0, target);
  await assertIs(target, stage.v0);
});

inTurn("a rehearsal changes nothing and tells what would come, go and change", async () => {
  await using stage = await setStage();
  const { target, root } = stage;
  writeFileSync(join(root, "surplus"), "!");
  const before = readTree(target);
  const { differences = [], ...result } = await sync(stage.v1, target, { dryRun: true });
  assert.deepEqual(counts(result), [2, 2, 1, 8]);
  assert.deepEqual(
    differences.map((difference) => [
      difference.kind,
      difference.path,
      difference.kind === "changed" && difference.parts,
    ]),
    [
      ["changed", "etc/motd", ["time", "size", "content"].filter((part) => part !== "time")],
      ["removed", "etc/old", false],
      ["added", "new", false],
      ["added", "new/file", false],
      ["removed", "surplus", false],
    ],
  );
  const [changed] = differences;
  assert.ok(changed?.kind === "changed");
  assert.equal(changed.first.sizeBytes, 300_000);
  assert.deepEqual([changed.second.sizeBytes, changed.second.layer, changed.second.digest?.length], [5, 1, 71]);
  assert.deepEqual(readTree(target), before);
  const { differences: none } = await sync(stage.v0, stage.path("nowhere"), { dryRun: true });
  assert.equal(none?.length, 10);
  assert.ok(!existsSync(stage.path("nowhere")));
});

inTurn("what is kept stays as the disk has it, whether the image has it or not", async () => {
  await using stage = await setStage();
  const { target, root } = stage;
  mkdirSync(join(root, "var/lib/app/data"), { recursive: true });
  mkdirSync(join(root, "var/lib/other"));
  chmodSync(join(root, "var/lib/app"), 0o700);
  writeFileSync(join(root, "var/lib/app/data/state"), "mine");
  linkSync(join(root, "var/lib/app/data/state"), join(root, "var/lib/app/again"));
  writeFileSync(join(root, "etc/motd"), "mine");
  rmSync(join(root, "empty"));
  const kept = lstatSync(join(root, "var/lib/app/data/state")).ino;
  const result = await sync(stage.v1, target, { keepPaths: ["var/lib/app", "etc/motd", "empty", "none"] });
  assert.deepEqual(counts(result), [2, 2, 0, 7]);
  assert.deepEqual(names(join(root, "var/lib")), ["app"]);
  for (const name of ["data/state", "again"]) assert.equal(lstatSync(join(root, "var/lib/app", name)).ino, kept);
  assert.equal(lstatSync(join(root, "var/lib/app")).mode & 0o777, 0o700);
  assert.equal(readFileSync(join(root, "etc/motd"), "utf8"), "mine");
  assert.ok(!existsSync(join(root, "empty")) && !existsSync(join(root, "etc/old")));
  const again = await sync(stage.v1, target, { keepPaths: ["var/lib/app", "etc/motd", "empty"] });
  assert.deepEqual(counts(again), [0, 0, 0, 9]);
});

inTurn("what is kept in a directory that the image makes a file of is refused, and nothing changes", async () => {
  await using stage = await setStage();
  const { target, root } = stage;
  rmSync(join(root, "empty"));
  mkdirSync(join(root, "empty"));
  writeFileSync(join(root, "empty/mine"), "mine");
  const before = readTree(root);
  await assert.rejects(sync(stage.v0, target, { keepPaths: ["empty/mine"] }), { code: "FILE_SYSTEM" });
  assert.deepEqual(readTree(root), before);
  assert.deepEqual(names(target), ["config.json", "rootfs"]);
});

{
  const indexed = async (stage: Stage) => {
    const source = storedSource(sourceFor(stage.v0), store(stage.path("store")));
    for (const name of [stage.v0, stage.v1]) await sync(name, stage.path(`${name.slice(-2)}`), { source });
    return source;
  };

  inTurn("a file that was changed behind its time goes unnoticed, one with another time does not", async () => {
    await using stage = await setStage();
    await using source = await indexed(stage);
    const path = join(stage.root, "bin/true");
    const { atime } = statSync(path);
    const content = () => readFileSync(path, "utf8");
    execFileSync("touch", ["--reference", path, stage.path("times")]);
    writeFileSync(path, "eurt");
    execFileSync("touch", ["--reference", stage.path("times"), path]);
    const believed = await sync(stage.v0, stage.target, { source, trustTimes: true });
    assert.deepEqual([counts(believed), believed.trustedTimes, content()], [[0, 0, 0, 10], true, "eurt"]);
    utimesSync(path, atime, new Date(1000));
    const noticed = await sync(stage.v0, stage.target, { source, trustTimes: true });
    assert.deepEqual([counts(noticed), content()], [[0, 0, 1, 9], "true"]);
  });

  inTurn("the image that lies there is the one to believe, and equal times of another mean nothing", async () => {
    await using stage = await setStage();
    await using source = await indexed(stage);
    const result = await sync(stage.v1, stage.target, { source, trustTimes: true });
    assert.deepEqual([counts(result), result.readLayers, result.trustedTimes], [[2, 1, 1, 8], 1, true]);
    assert.equal(result.previousDigest, images[0]?.manifest.descriptor.digest);
    await assertIs(stage.target, stage.v1);
  });

  for (const title of ["with a further layer", "with another last layer"]) {
    inTurn(`of an image ${title}, what that brought is not believed to lie there`, async () => {
      await using place = await scratch();
      const layout = join(place.directory, "layout");
      const base = tar(file("a", "1"), file("b", "1"), file("c", "1"));
      // The same sizes and times, and other data.
      const [top, otherTop] = ["2", "3"].map((data) => tar(file("b", data)));
      const former = title === "with a further layer" ? [base] : [base, otherTop ?? base];
      const versions = [former, [base, top ?? base]].map((layers) => image(layers));
      await writeImageLayout(
        layout,
        versions.map((each, index) => ({ tag: `v${index}`, images: [each] })),
      );
      const [v0, v1] = [`oci:${layout}:v0`, `oci:${layout}:v1`];
      await using source = storedSource(sourceFor(v0), store(join(place.directory, "store")));
      const target = join(place.directory, "target");
      const { rootfs } = await unpack(v0, target, { source });
      const path = join(rootfs, "a");
      execFileSync("touch", ["--reference", path, join(place.directory, "times")]);
      writeFileSync(path, "x");
      execFileSync("touch", ["--reference", join(place.directory, "times"), path]);
      const result = await sync(v1, target, { source, trustTimes: true });
      assert.deepEqual([counts(result), result.trustedTimes], [[0, 0, 1, 3], true]);
      const contents = ["a", "b", "c"].map((name) => readFileSync(join(rootfs, name), "utf8"));
      assert.deepEqual(contents, ["x", "2", "1"]);
    });
  }

  inTurn("data that are believed and copied are looked at all the same", async () => {
    await using stage = await setStage();
    await using source = await indexed(stage);
    const path = join(stage.root, "etc/motd");
    execFileSync("touch", ["--reference", path, stage.path("times")]);
    writeFileSync(path, "y".repeat(300_000));
    execFileSync("touch", ["--reference", stage.path("times"), path]);
    chmodSync(path, 0o600);
    await sync(stage.v0, stage.target, { source, trustTimes: true });
    await assertIs(stage.target, stage.v0);
  });

  inTurn("where nobody knows what lies there, all files are read", async () => {
    await using stage = await setStage();
    const result = await sync(stage.v1, stage.target, { trustTimes: true });
    assert.equal(result.trustedTimes, false);
    await assertIs(stage.target, stage.v1);
  });
}

inTurn("without a store no layer is downloaded twice", async () => {
  await using stage = await setStage();
  const [, second] = images;
  const layers = second?.layers.map(({ bytes }) => bytes.length) ?? [];
  const result = await sync(stage.v1, stage.target);
  assert.equal(
    result.downloadedBytes,
    layers.reduce((sum, bytes) => sum + bytes, 0),
  );
  assert.equal(result.readLayers, 2);
});

inTurn("a bundle stays one, and becomes the image's configuration again", async () => {
  await using stage = await setStage();
  const { target } = stage;
  await sync(stage.v1, target, { bundle: true });
  assert.deepEqual(names(target), ["config.json", "image-config.json", "rootfs"]);
  assert.equal(JSON.parse(readFileSync(join(target, "config.json"), "utf8")).ociVersion !== undefined, true);
  const { previousDigest, digest } = await sync(stage.v1, target, { bundle: true });
  assert.equal(previousDigest, digest);
  await sync(stage.v1, target);
  await assertIs(target, stage.v1);
});

inTurn("the list of files is that of unpacking", { skip: skipUnlessRoot() }, async () => {
  await using place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "v0", images: [image([base, tar(device("null", "character", [1, 3]))])] }]);
  for (const devices of ["skip", "create", "placeholder"] as const) {
    const path = (name: string) => join(place.directory, `${devices}-${name}`);
    await unpack(`oci:${layout}`, path("a"), { mtree: path("a.mtree"), devices });
    await sync(`oci:${layout}`, path("b"), { mtree: path("b.mtree"), devices });
    await sync(`oci:${layout}`, path("b"), { mtree: path("c.mtree"), devices });
    const [unpacked, synced, again] = ["a", "b", "c"].map((name) => readFileSync(path(`${name}.mtree`), "utf8"));
    assert.equal(synced, unpacked);
    assert.equal(again, unpacked);
    assert.deepEqual(readTree(path("b/rootfs")), readTree(path("a/rootfs")));
  }
});

inTurn("a list of files in the root that is replaced is refused, by whatever path", async () => {
  await using stage = await setStage();
  symlinkSync(join(stage.target, "rootfs"), stage.path("link"));
  const before = readTree(stage.target);
  for (const place of [join(stage.target, "rootfs"), stage.path("link")]) {
    const syncing = sync(stage.v1, stage.target, { mtree: join(place, "list") });
    await assert.rejects(syncing, { code: "TARGET_UNUSABLE", message: /in the root filesystem that is replaced/ });
  }
  assert.deepEqual(readTree(stage.target), before);
});

{
  const refused: readonly (readonly [string, string, (stage: Stage) => void, SyncOptions?])[] = [
    ["a directory without config.json", "TARGET_NOT_EMPTY", ({ target }) => rmSync(join(target, "config.json"))],
    [
      "a rootfs that is a symlink, even with force,",
      "TARGET_UNUSABLE",
      ({ target, path }) => {
        renameSync(join(target, "rootfs"), path("elsewhere"));
        symlinkSync(path("elsewhere"), join(target, "rootfs"));
      },
      { force: true },
    ],
    ["an overlay's directory", "TARGET_UNUSABLE", ({ target }) => mkdirSync(join(target, "layers")), { force: true }],
    [
      "a config.json that is a symlink",
      "FILE_SYSTEM",
      ({ target, path }) => {
        renameSync(join(target, "config.json"), path("config.json"));
        symlinkSync(path("config.json"), join(target, "config.json"));
      },
    ],
  ];
  for (const [title, code, prepare, options = {}] of refused) {
    inTurn(`${title} is refused, and stays as it is`, async () => {
      await using stage = await setStage();
      prepare(stage);
      const before = readTree(stage.path("."));
      await assert.rejects(
        sync(stage.v1, stage.target, options),
        (error) => isOciUnpackError(error) && error.code === code,
      );
      assert.deepEqual(readTree(stage.path(".")), before);
    });
  }

  inTurn("a root that something is mounted in is refused, and stays as it is", { skip: skipUnlessRoot() }, async () => {
    await using stage = await setStage();
    execFileSync("mount", ["--bind", join(stage.root, "bin"), join(stage.root, "etc")]);
    try {
      const before = readTree(stage.path("."));
      await assert.rejects(sync(stage.v1, stage.target, { force: true }), { code: "TARGET_UNUSABLE" });
      assert.deepEqual(readTree(stage.path(".")), before);
    } finally {
      execFileSync("umount", [join(stage.root, "etc")]);
    }
  });
}

inTurn("a directory with other things in it is taken with force, and these stay", async () => {
  await using stage = await setStage();
  mkdirSync(stage.path("home"));
  writeFileSync(stage.path("home/mine"), "mine");
  await sync(stage.v1, stage.path("home"), { force: true });
  assert.deepEqual(names(stage.path("home")), ["config.json", "mine", "rootfs"]);
});

inTurn("what a sync that was killed left is taken up and removed, without force", async () => {
  await using stage = await setStage();
  const { target } = stage;
  mkdirSync(join(target, ".oci-unpack-sync/bin"), { recursive: true });
  renameSync(join(target, "config.json"), join(target, ".oci-unpack-sync-old-config.json"));
  await sync(stage.v1, target);
  await assertIs(target, stage.v1);
  mkdirSync(join(target, ".oci-unpack-sync/bin"), { recursive: true });
  await sync(stage.v1, target);
  await assertIs(target, stage.v1);
});

inTurn("a sync that failed where another was killed leaves the next one what it needs", async () => {
  await using stage = await setStage();
  const { target } = stage;
  mkdirSync(join(target, ".oci-unpack-sync"));
  rmSync(join(target, "config.json"));
  await assert.rejects(sync(stage.v1, target, { limits: { fileBytes: 4 } }), { code: "LIMIT_EXCEEDED" });
  await sync(stage.v1, target);
  await assertIs(target, stage.v1);
});

inTurn("two syncs of one directory do not meet", async () => {
  await using stage = await setStage();
  const { v1, target } = stage;
  const outcomes = await Promise.allSettled([sync(v1, target), sync(v1, target)]);
  const failed = outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason.code);
  assert.deepEqual(failed, ["TARGET_UNUSABLE"]);
  await assertIs(target, v1);
});

inTurn("the command syncs, rehearses, and says so in words and as data", async () => {
  await using stage = await setStage();
  const { v0, v1, target } = stage;
  const rehearsed = await ociUnpack(["sync", "--dry-run", target, v1]);
  assert.equal(rehearsed.status, 3);
  assert.equal(rehearsed.stdout.split("\n")[0], "changed     etc/motd (size, content)");
  const synced = await ociUnpack(["sync", "--json", target, v1]);
  assert.equal(synced.status, 0, synced.stderr);
  const { rootfs, config, added, removed, changed, unchanged, writtenBytes, readLayers } = JSON.parse(synced.stdout);
  assert.deepEqual(
    { rootfs, config, added, removed, changed, unchanged, writtenBytes, readLayers },
    {
      rootfs: stage.root,
      config: join(target, "config.json"),
      added: 2,
      removed: 1,
      changed: 1,
      unchanged: 8,
      writtenBytes: 8,
      readLayers: 2,
    },
  );
  assert.match(synced.stderr, /2 added, 1 removed, 1 changed, 8 as they were/);
  assert.equal((await ociUnpack(["sync", "-n", "-q", target, v1])).status, 0);
  const kept = await ociUnpack(["sync", "-q", "--keep-path", "new", "--bundle", target, v0]);
  assert.equal(kept.status, 0, kept.stderr);
  assert.ok(existsSync(join(stage.root, "new/file")) && existsSync(join(target, "image-config.json")));
  assert.equal((await ociUnpack(["sync", target])).status, 2);
});

test("a configuration that alone is another is told, and a rehearsal of that exits with 3", async () => {
  await using stage = await setStage();
  const { v0, target } = stage;
  writeFileSync(join(target, "config.json"), "{}");
  const rehearsed = await ociUnpack(["sync", "--dry-run", target, v0]);
  assert.equal(rehearsed.status, 3, rehearsed.stderr);
  assert.match(rehearsed.stderr, /^different: .*\n {2}the files are the same, the configuration is another\n/ms);
  assert.equal((await sync(v0, target)).configChanged, true);
  assert.equal((await sync(v0, target)).configChanged, false);
  assert.equal((await ociUnpack(["sync", "-n", "-q", target, v0])).status, 0);
  assert.equal((await sync(v0, target, { dryRun: true, bundle: true })).configChanged, true);
});

for (const [title, options, work] of shareOf(10, cases)) test(title, options, work);
