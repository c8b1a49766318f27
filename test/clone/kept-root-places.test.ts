import assert from "node:assert/strict";
import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isOciUnpackError } from "../../src/index.ts";
import { root } from "../hostile/as-user.ts";
import { canaries, makePlace } from "../hostile/place.ts";
import { eventually } from "../support/eventually.ts";
import { type Image, image } from "../support/image.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { removeTree } from "../support/remove-tree.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, file, hardlink, tar } from "../support/tar-builder.ts";
import { half, isThorough } from "../support/thorough.ts";
import { skipUnlessMounting, skipUnlessRoot } from "../support/tools.ts";
import { type Stage, setStage } from "./stage.ts";

const small = image([tar(directory("etc"), file("etc/name", "content"), file("etc/other", "content"))]);

/** A file system of its own, which goes when its scope ends. */
async function fileSystem(type: "tmpfs" | "ext4", megabytes: number): Promise<Scratch> {
  const place = await scratch();
  const mounted = join(place.directory, "mounted");
  mkdirSync(mounted);
  if (type === "tmpfs") execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", mounted]);
  else {
    const disk = join(place.directory, "disk");
    writeFileSync(disk, "");
    truncateSync(disk, megabytes * 1024 * 1024);
    execFileSync("mkfs.ext4", ["-q", disk], { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
    execFileSync("mount", ["-o", "loop", disk, mounted]);
  }
  return {
    directory: mounted,
    async [Symbol.asyncDispose]() {
      execFileSync("umount", [mounted]);
      await place[Symbol.asyncDispose]();
    },
  };
}

/** What is left of a failure where there should be nothing. */
function leftovers(stage: Stage): readonly string[] {
  const { directory: store } = stage.store;
  const targets = readdirSync(stage.directory).filter((name) => name.startsWith("target-"));
  return [
    ...targets.flatMap((name) => readdirSync(join(stage.directory, name))),
    ...readdirSync(join(store, "ingest")).filter((name) => name.startsWith("tree-")),
  ];
}

const skipMounting = skipUnlessMounting("mkfs.ext4");

for (const clone of half(["reflink", "hardlink"] as const)) {
  test(`${clone} is an error before anything is fetched where a store is too far away`, {
    skip: skipMounting,
  }, async () => {
    await using other = await fileSystem("tmpfs", 10);
    await using stage = await setStage(small, { stores: other.directory });
    const told: string[] = [];
    const unpacking = stage.unpack({ clone, onEvent: ({ type }) => told.push(type) });
    await assert.rejects(unpacking, (error) => {
      assert.ok(isOciUnpackError(error, "FILE_SYSTEM"), String(error));
      assert.match(error.message, new RegExp(`^cannot clone by ${clone}: the store ".*" and ".*" cannot .*E[A-Z]+`));
      return true;
    });
    assert.deepEqual(told, []);
    assert.deepEqual(leftovers(stage), []);
    assert.deepEqual(readdirSync(join(stage.store.directory, "blobs/sha256")), []);
    assert.equal((await stage.unpack({ keep: true })).kept, undefined);
    assert.equal((await stage.unpack({ clone: "auto" })).kept, "copied", "from one file system to another");
  });
}

const skipMany = isThorough ? skipMounting : "65,000 hard links: OCI_UNPACK_TESTS=all";

test("a file that can have no further name is copied", { skip: skipMany }, async () => {
  await using disk = await fileSystem("ext4", 64);
  await using stage = await setStage(small, { stores: disk.directory, targets: disk.directory });
  await stage.unpack({ keep: true });
  const [tree = ""] = await stage.trees();
  const kept = join(tree, "rootfs/etc/name");
  const names = join(disk.directory, "names");
  mkdirSync(names);
  for (let count = statSync(kept).nlink; count < 65_000; count++) linkSync(kept, join(names, `${count}`));

  const { rootfs, kept: how } = await stage.unpack({ clone: "hardlink" });

  assert.equal(how, "hardlink");
  assert.equal(readFileSync(join(rootfs, "etc/name"), "utf8"), "content");
  assert.notEqual(statSync(join(rootfs, "etc/name")).ino, statSync(kept).ino);
  assert.equal(statSync(join(rootfs, "etc/other")).ino, statSync(join(tree, "rootfs/etc/other")).ino);
});

test("a file that has nearly as many names as it may is copied, and all its names in the clone are one file", async () => {
  const linked = image([tar(file("bin/tool", "content"), hardlink("bin/again", "bin/tool"))]);
  await using stage = await setStage(linked);
  await stage.unpack({ keep: true });
  const [tree = ""] = await stage.trees();
  const kept = join(tree, "rootfs/bin/tool");
  const names = join(stage.directory, "names");
  mkdirSync(names);
  for (let count = statSync(kept).nlink; count <= 15_000; count++) linkSync(kept, join(names, `${count}`));

  const { rootfs } = await stage.unpack({ clone: "hardlink" });

  const [tool, again] = ["bin/tool", "bin/again"].map((name) => statSync(join(rootfs, name)));
  assert.deepEqual([again?.ino, tool?.nlink], [tool?.ino, 2]);
  assert.notEqual(tool?.ino, statSync(kept).ino);
});

test("what is kept in a store that can only be read is cloned, and nothing is touched", {
  skip: skipMounting,
}, async () => {
  await using disk = await fileSystem("tmpfs", 10);
  await using stage = await setStage(small, { stores: disk.directory });
  await stage.unpack({ keep: true });
  const [tree = ""] = await stage.trees();
  const { mtimeMs } = statSync(tree);
  execFileSync("mount", ["-o", "remount,ro", disk.directory]);
  const { kept } = await stage.unpack({ keep: true, offline: true });
  assert.equal(kept, "copied");
  const other = await stage.unpack({ keep: true, offline: true, exclude: ["etc/other"] });
  assert.equal(other.kept, undefined);
  assert.deepEqual(readdirSync(join(other.rootfs, "etc")), ["name"]);
  assert.equal(statSync(tree).mtimeMs, mtimeMs);
});

test("a full disk leaves nothing, in the store or beside it", { skip: skipMounting }, async () => {
  await using disk = await fileSystem("tmpfs", 2);
  const large = image([tar(...Array.from({ length: 40 }, (_, n) => file(`file-${n}`, `${n}`.repeat(50_000))))]);
  await using stage = await setStage(large, { stores: disk.directory });
  await assert.rejects(stage.unpack({ keep: true }), (error) => isOciUnpackError(error, "NO_SPACE"));
  assert.deepEqual(leftovers(stage), []);
  assert.deepEqual(await stage.trees(), []);
});

test("of two who make the same tree at once each has its root, and one tree is kept", async () => {
  await using stage = await setStage(small);
  const both = await Promise.all([stage.unpack({ keep: true }), stage.unpack({ keep: true })]);
  for (const { rootfs } of both) assert.equal(readFileSync(join(rootfs, "etc/name"), "utf8"), "content");
  assert.equal((await stage.trees()).length, 1);
  assert.equal((await stage.unpack({ keep: true })).kept, "copied");
  assert.deepEqual(readdirSync(join(stage.store.directory, "ingest")), []);
});

const many = image([tar(...Array.from({ length: 1000 }, (_, n) => file(`${n % 40}/${n}`, `${n}`)))]);

for (const when of half(["its tree is made", "its tree is cloned"] as const)) {
  test(`who is killed while ${when} leaves no tree that is not whole`, async () => {
    await using stage = await setStage(many);
    const { directory } = stage.store;
    if (when === "its tree is cloned") await stage.unpack({ keep: true });
    const target = join(stage.directory, "killed");
    const args = ["-q", "--store", directory, "--keep", "--platform", "linux/amd64", stage.name, target];
    const child = spawn(process.execPath, [commandEntry, ...args], { stdio: "ignore" });
    const making = () => {
      const [tree = "none"] = readdirSync(join(directory, "ingest")).filter((name) => name.startsWith("tree-"));
      return when === "its tree is made"
        ? existsSync(join(directory, "ingest", tree, "rootfs/0"))
        : existsSync(target) && readdirSync(target).some((name) => existsSync(join(target, name, "0")));
    };
    const isDue = () => child.exitCode !== null || (existsSync(join(directory, "ingest")) && making());
    await eventually(isDue, () => "nothing was made");
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    const { rootfs } = await stage.unpack({ keep: true });
    assert.equal(readdirSync(rootfs).length, 40);
    assert.equal(readdirSync(join(rootfs, "7")).length, 25);
    assert.notEqual((await stage.unpack({ keep: true })).kept, undefined);
  });
}

const runs = isThorough ? 30 : 2;

// As in hostile/tampering: Landlock is off, so that names alone are what nobody gets past.
for (const attacked of half(["the kept tree", "the clone"] as const)) {
  const title = `no canary is touched, and no wrong root made, while another process swaps directories of ${attacked}`;
  test(title, { skip: skipUnlessRoot() }, async (context) => {
    const place = makePlace(root);
    await using stage = await setStage(folders());
    const before = canaries(place);
    await stage.unpack({ keep: true });
    const swapped =
      attacked === "the kept tree" ? join(stage.store.directory, "trees") : join(stage.directory, "targets");
    mkdirSync(swapped, { recursive: true });
    const tamper = fileURLToPath(new URL("../hostile/tamper.js", import.meta.url));
    const attacker = fork(tamper, [swapped, place.outside]);
    const ends = new Map<string, number>();
    try {
      await once(attacker, "message");
      for (let run = 0; run < runs; run++) {
        const clone = run % 2 === 0 ? "copy" : "hardlink";
        const end = await ended(stage, clone, attacked === "the clone" ? join(swapped, `${run}`) : undefined);
        ends.set(end, (ends.get(end) ?? 0) + 1);
        assert.deepEqual(canaries(place), before, "a canary was touched");
        assert.ok(!end.includes("INTERNAL"), end);
      }
      context.diagnostic([...ends].map(([end, count]) => `${count} × ${end}`).join(", "));
    } finally {
      attacker.kill("SIGKILL");
      await once(attacker, "exit");
      removeTree(place.directory);
    }
  });
}

/** How an unpacking ended. A root that was made is looked at. */
async function ended(stage: Stage, clone: "copy" | "hardlink", target: string | undefined): Promise<string> {
  try {
    const { rootfs, kept } = await stage.unpack({ clone, sandbox: "off" }, target);
    if (target !== undefined) return "a root that is attacked still";
    assert.equal(readdirSync(rootfs).length, 10);
    for (const name of readdirSync(rootfs))
      assert.equal(readFileSync(join(rootfs, name, "secret"), "utf8"), "the image's");
    await rm(dirname(rootfs), { recursive: true });
    return kept ?? "made anew";
  } catch (error) {
    if (isOciUnpackError(error)) return error.code;
    throw error;
  }
}

/** Whose names are those of the canaries. */
function folders(): Image {
  const names = Array.from({ length: 10 }, (_, n) => `folder${n}`);
  return image([
    tar(
      ...names.flatMap((name) => [
        directory(name, { mode: 0o777, mtime: 7 }),
        file(`${name}/secret`, "the image's", { mode: 0o4777 }),
        file(`${name}/program`, "the image's"),
        directory(`${name}/folder`),
        file(`${name}/folder/child`, "the image's"),
      ]),
    ),
  ]);
}
