import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type SyncResult, sync, unpack } from "../../src/index.ts";
import { ordinaryUser, program, skipUnlessNodeIsOpen } from "../hostile/as-user.ts";
import { readTree } from "../rules/real-tree.ts";
import { type Image, image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, tar } from "../support/tar-builder.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";

const platform = "linux/amd64";

const before = image([
  tar(directory("./"), directory("d"), file("d/theirs", "1", { uid: 5, gid: 6 }), file("mine", "2"), file("goes")),
]);
const after = image([
  tar(directory("./"), directory("d"), file("d/theirs", "1"), file("mine", "2", { uid: 7 }), file("new")),
]);

/** An ordinary user's directory, and two images in a layout. */
async function setStage(...images: readonly Image[]) {
  const place = await scratch();
  chmodSync(place.directory, 0o755);
  const home = join(place.directory, "home");
  mkdirSync(home);
  if (skipUnlessRoot() === false) chownSync(home, ordinaryUser.uid, ordinaryUser.gid);
  const layout = join(place.directory, "layout");
  await writeImageLayout(
    layout,
    images.map((one, index) => ({ tag: `v${index}`, images: [one] })),
  );
  const run = (...args: readonly string[]) => program().run(ordinaryUser, args, home);
  const done = async (...args: readonly string[]) => {
    const { status, stdout, stderr } = await run(...args);
    assert.equal(status, 0, stderr);
    return stdout;
  };
  return {
    ...{ home, run, done, name: (index: number) => `oci:${layout}:v${index}` },
    path: (name: string) => join(home, name),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

type Stage = Awaited<ReturnType<typeof setStage>>;

/** Unpacks one image with some options, makes it another with others, and wants what unpacking makes of that. */
async function assertBecomes(stage: Stage, first: readonly string[], second: readonly string[]): Promise<void> {
  const common = ["-q", "-p", platform];
  for (const one of [0, 1]) {
    const [target, fresh] = [stage.path(`${one}`), stage.path(`${one}-fresh`)];
    await stage.done(...common, ...first, stage.name(one), target);
    await stage.done(...common, ...second, stage.name(1), fresh);
    await stage.done("sync", ...common, ...second, target, stage.name(1));
    assert.deepEqual(readTree(join(target, "rootfs")), readTree(join(fresh, "rootfs")));
    const again = JSON.parse(await stage.done("sync", "--json", ...common, ...second, target, stage.name(1)));
    const { added, removed, changed } = again as SyncResult;
    assert.deepEqual([added, removed, changed], [0, 0, 0]);
  }
}

describe("an ordinary user", { skip: skipUnlessRoot() || skipWithout("setpriv") || skipUnlessNodeIsOpen() }, () => {
  test("gets the notes of owners that unpacking makes, and no older ones", async () => {
    await using stage = await setStage(before, after);
    await assertBecomes(stage, ["--rootless"], ["--rootless"]);
  });

  test("gets none where none are wanted any more", async () => {
    await using stage = await setStage(before, after);
    await assertBecomes(stage, ["--rootless"], []);
  });

  test("is told beforehand that a directory is another user's, and nothing changes", async () => {
    await using stage = await setStage(before, after);
    await stage.done("-q", "-p", platform, stage.name(0), stage.path("target"));
    mkdirSync(stage.path("target/rootfs/theirs"));
    await stage.done("sync", "-q", "-p", platform, stage.path("target"), stage.name(0)); // it is empty
    mkdirSync(stage.path("target/rootfs/theirs"));
    writeFileSync(stage.path("target/rootfs/theirs/file"), "");
    const tree = readTree(stage.path("target/rootfs"));
    const { status, stderr } = await stage.run("sync", "-p", platform, stage.path("target"), stage.name(1));
    assert.match(
      stderr,
      /^error: cannot remove "theirs\/file" with the old root: its directory belongs to another user$/m,
    );
    assert.equal(status, 1);
    assert.deepEqual(readTree(stage.path("target/rootfs")), tree);
    assert.deepEqual(readdirSync(stage.path("target")).sort(), ["config.json", "rootfs"]);
  });

  test("is told that all is done but for the old root, and the next step", async () => {
    await using stage = await setStage(before, after);
    const target = stage.path("target");
    await stage.done("-q", "-p", platform, stage.name(0), target);
    const sticky = join(target, "rootfs/sticky");
    mkdirSync(sticky);
    chmodSync(sticky, 0o1777);
    writeFileSync(join(sticky, "file"), "");
    const { status, stderr } = await stage.run("sync", "-p", platform, target, stage.name(1));
    assert.match(
      stderr,
      /^error: ".*\/rootfs" is what it was to become, but the old root cannot be removed: .*"file"/m,
    );
    assert.ok(stderr.includes(`\nhint: remove "${target}/.oci-unpack-sync"`), stderr);
    assert.equal(status, 1);
    assert.deepEqual(readdirSync(join(target, "rootfs")).sort(), ["d", "mine", "new"]);
    const again = await stage.run("sync", "-p", platform, target, stage.name(0));
    assert.match(again.stderr, /^error: cannot sync ".*": what another sync left there cannot be removed: /m);
    assert.deepEqual(readdirSync(join(target, "rootfs")).sort(), ["d", "mine", "new"]);
  });
});

test("owners that are ignored from now on become this user's", { skip: skipUnlessRoot() }, async () => {
  await using stage = await setStage(before, after);
  const map = [{ containerID: 0, hostID: 100_000, size: 10 }];
  await unpack(stage.name(0), stage.path("fresh"), { platform, owner: "ignore" });
  for (const [index, maps] of [{}, { uidMap: map, gidMap: map }].entries()) {
    const target = stage.path(`${index}`);
    await unpack(stage.name(0), target, { platform, ...maps });
    await sync(stage.name(0), target, { platform, owner: "ignore" });
    assert.deepEqual(readTree(join(target, "rootfs")), readTree(stage.path("fresh/rootfs")));
  }
});

test("attributes that are excluded from now on go", { skip: skipWithout("setfattr") }, async () => {
  const one = image([tar(file("f", "1", { xattrs: { "user.a": "1", "user.b": "2" } }))]);
  await using stage = await setStage(one);
  const [target, fresh] = [stage.path("target"), stage.path("fresh")];
  await unpack(stage.name(0), target, { platform });
  assert.equal((await sync(stage.name(0), target, { platform, xattrExclude: ["user.a"] })).changed, 1);
  await unpack(stage.name(0), fresh, { platform, xattrExclude: ["user.a"] });
  assert.deepEqual(readTree(join(target, "rootfs")), readTree(join(fresh, "rootfs")));
});

test("a root with a file that cannot be removed is refused, and stays as it is", {
  skip: skipUnlessRoot() || skipWithout("chattr"),
}, async (context) => {
  await using stage = await setStage(before, after);
  const target = stage.path("target");
  await unpack(stage.name(0), target, { platform });
  for (const [name, attribute] of [
    ["mine", "i"],
    ["goes", "a"],
    ["d", "i"],
  ] as const) {
    const path = join(target, "rootfs", name);
    if (spawnSync("chattr", [`+${attribute}`, path]).status !== 0) return context.skip("not on this file system");
    try {
      const [tree, { ino }] = [readTree(join(target, "rootfs")), lstatSync(join(target, "rootfs"))];
      const message = `cannot remove "${name}" with the old root: it is immutable, or append-only`;
      await assert.rejects(sync(stage.name(1), target, { platform }), { code: "FILE_SYSTEM", message });
      assert.deepEqual(readTree(join(target, "rootfs")), tree);
      assert.deepEqual(readdirSync(target).sort(), ["config.json", "rootfs"]);
      assert.equal(lstatSync(join(target, "rootfs")).ino, ino);
      assert.equal((await sync(stage.name(0), target, { platform })).unchanged, 5); // there is nothing to remove
    } finally {
      execFileSync("chattr", [`-${attribute}`, path]);
    }
  }
  await sync(stage.name(1), target, { platform });
  assert.equal(readFileSync(join(target, "rootfs/mine"), "utf8"), "2");
});
