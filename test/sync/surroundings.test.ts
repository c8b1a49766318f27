import assert from "node:assert/strict";
import { execFileSync, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isOciUnpackError, sync, unpack } from "../../src/index.ts";
import { root } from "../hostile/as-user.ts";
import { canaries, makePlace, type Place } from "../hostile/place.ts";
import { Random } from "../model/random.ts";
import { readTree } from "../rules/real-tree.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { removeTree } from "../support/remove-tree.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, hardlink, tar, whiteout } from "../support/tar-builder.ts";
import { isThorough } from "../support/thorough.ts";
import { skipUnlessMounting, skipUnlessRoot } from "../support/tools.ts";
import { wantedSyncs } from "./versions.ts";

const platform = "linux/amd64";
const tamper = fileURLToPath(new URL("../hostile/tamper.js", import.meta.url));

/** Two versions in a layout. */
async function layoutOf(place: string, first: readonly Uint8Array[], second: readonly Uint8Array[]) {
  const layout = join(place, "layout");
  await writeImageLayout(
    layout,
    [first, second].map((layers, index) => ({ tag: `v${index}`, images: [image(layers)] })),
  );
  return [`oci:${layout}:v0`, `oci:${layout}:v1`] as const;
}

const large = (count: number, text: string) =>
  tar(...Array.from({ length: count }, (_, n) => file(`d/${n}`, `${text}${n}`.padEnd(20_000))));

test("without room for both, what was there stays, and the next sync goes on", {
  skip: skipUnlessMounting(),
}, async (context) => {
  await using place = await scratch();
  const [name1, name2] = await layoutOf(place.directory, [large(20, "old")], [large(40, "new")]);
  const [first, second] = await Promise.all(
    [name1, name2].map(async (name, index) => {
      const { rootfs } = await unpack(name, join(place.directory, `fresh-${index}`), { platform });
      return readTree(rootfs);
    }),
  );
  const disk = join(place.directory, "disk");
  mkdirSync(disk);
  const random = new Random(5);
  const ends: string[] = [];
  for (let run = 0; run < (wantedSyncs() >> 5 || (isThorough ? 10 : 1)); run += 1) {
    const limits = run % 2 === 0 ? `size=${600 + random.below(800)}k` : `nr_inodes=${30 + random.below(50)}`;
    execFileSync("mount", ["-t", "tmpfs", "-o", limits, "tmpfs", disk]);
    try {
      const target = join(disk, "target");
      await unpack(name1, target, { platform });
      const end = await sync(name2, target, { platform }).then(() => "done", codeOf);
      ends.push(end);
      if (end !== "done") {
        assert.equal(end, "NO_SPACE", limits);
        assert.deepEqual(readTree(join(target, "rootfs")), first);
        assert.deepEqual(readdirSync(target).sort(), ["config.json", "rootfs"]);
      }
      execFileSync("mount", ["-o", "remount,size=10m,nr_inodes=1000", disk]);
      await sync(name2, target, { platform });
      assert.deepEqual(readTree(join(target, "rootfs")), second);
      assert.deepEqual(readdirSync(target).sort(), ["config.json", "rootfs"]);
    } finally {
      execFileSync("umount", [disk]);
    }
  }
  context.diagnostic(ends.join(", "));
});

test("what can only be read stays as it is", { skip: skipUnlessMounting() }, async () => {
  await using place = await scratch();
  const [name1, name2] = await layoutOf(place.directory, [large(1, "old")], [large(2, "new")]);
  const disk = join(place.directory, "disk");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", disk]);
  try {
    const target = join(disk, "target");
    const { rootfs } = await unpack(name1, target, { platform });
    const before = readTree(rootfs);
    execFileSync("mount", ["-o", "remount,ro", disk]);
    assert.equal(await sync(name2, target, { platform }).then(String, codeOf), "TARGET_UNUSABLE");
    assert.deepEqual(readTree(rootfs), before);
    assert.equal((await sync(name2, target, { platform, dryRun: true })).added, 1);
    assert.equal((await sync(name1, target, { platform })).changed, 0);
  } finally {
    execFileSync("umount", [disk]);
  }
});

test("in a lower layer of an overlay, files with several names become new ones, or the root stays", {
  skip: skipUnlessMounting(),
}, async (context) => {
  await using place = await scratch();
  const links = tar(file("a", "1"), hardlink("b", "a"), file("alone", "2"), file("c", ""), hardlink("d", "c"));
  const [name1, name2] = await layoutOf(place.directory, [links], [links, tar(file("new"))]);
  const disk = join(place.directory, "disk");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", disk]);
  try {
    await unpack(name1, join(disk, "lower/target"), { platform });
    const options = { cwd: disk, stdio: "ignore" } as const;
    for (const redirect of ["on", "nofollow"]) {
      for (const name of ["upper", "work", "merged"]) mkdirSync(join(disk, redirect, name), { recursive: true });
      const places = ["lowerdir=lower", `upperdir=${redirect}/upper`, `workdir=${redirect}/work`];
      const mounting = [
        "-t",
        "overlay",
        "overlay",
        "-o",
        [...places, "index=off", `redirect_dir=${redirect}`].join(","),
      ];
      if (spawnSync("mount", [...mounting, `${redirect}/merged`], options).status !== 0) {
        return context.skip("no such overlay can be mounted here");
      }
      const target = join(disk, redirect, "merged/target");
      try {
        const syncing = sync(name2, target, { platform });
        if (redirect === "on") assert.deepEqual([(await syncing).added, (await syncing).changed], [1, 0]);
        else await assert.rejects(syncing, { code: "FILE_SYSTEM", message: /has it in a lower layer/ });
        if (redirect === "on") {
          const fresh = await unpack(name2, join(place.directory, "fresh"), { platform });
          assert.deepEqual(readTree(join(target, "rootfs")), readTree(fresh.rootfs));
        } else assert.deepEqual(readdirSync(join(target, "rootfs")).sort(), ["a", "alone", "b", "c", "d"]);
        assert.deepEqual(readdirSync(target).sort(), ["config.json", "rootfs"]);
      } finally {
        execFileSync("umount", [join(disk, redirect, "merged")]);
      }
    }
  } finally {
    execFileSync("umount", [disk]);
  }
});

function codeOf(error: unknown): string {
  if (isOciUnpackError(error)) return error.code;
  throw error;
}

// As in hostile/tampering: Landlock is off, so that names alone are what nobody gets past.
test("no canary is touched or taken in while another process swaps directories of what is synced", {
  skip: skipUnlessRoot(),
}, async (context) => {
  const place = makePlace(root);
  const before = canaries(place);
  const names = await layoutOf(place.directory, [folders("1")], [folders("1"), folders("2"), changes]);
  const targets = join(place.directory, "targets");
  mkdirSync(targets);
  const attacker = fork(tamper, [targets, place.outside]);
  const ends = new Map<string, number>();
  try {
    await once(attacker, "message");
    for (let run = 0; run < (wantedSyncs() >> 3 || (isThorough ? 30 : 2)); run += 1) {
      const [calm, target] = [join(place.directory, "calm"), join(targets, `${run}`)];
      await unpack(names[0], calm, { platform });
      renameSync(calm, target);
      const end = await sync(names[1], target, { platform, sandbox: "off" }).then(() => "done", codeOf);
      ends.set(end, (ends.get(end) ?? 0) + 1);
      assert.notEqual(end, "INTERNAL");
      assert.deepEqual(canaries(place), before, "a canary was touched");
    }
  } finally {
    attacker.kill("SIGKILL");
    await once(attacker, "exit");
  }
  try {
    assertNothingTakenIn(targets, place);
    context.diagnostic([...ends].map(([end, count]) => `${count} × ${end}`).join(", "));
  } finally {
    removeTree(place.directory);
  }
});

/** Whose names are those of the canaries. */
function folders(content: string): Uint8Array {
  return tar(
    ...Array.from({ length: 10 }, (_, n) => `folder${n}`).flatMap((name) => [
      directory(name, { mode: 0o777, mtime: 7 }),
      file(`${name}/secret`, `the image's ${content}`, { mode: 0o4777 }),
      file(`${name}/program`, "the image's"),
      directory(`${name}/folder`),
      file(`${name}/folder/child`, `the image's ${content}`),
    ]),
  );
}

const changes = tar(whiteout("folder0"), whiteout("folder1/secret"), whiteout("folder2/folder"), file("folder3/new"));

/** Insists that nothing in a directory is a file from outside, or has what one has. */
function assertNothingTakenIn(directory: string, place: Place): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) assertNothingTakenIn(path, place);
    if (entry.isFile()) assert.notEqual(readFileSync(path, "utf8"), "canary", path);
  }
  for (const name of ["secret", "program", "folder/child"]) {
    assert.equal(lstatSync(join(place.outside, name)).nlink, 1, `${name} has another name`);
  }
}
