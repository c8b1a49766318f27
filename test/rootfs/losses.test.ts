import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type OciUnpackEvent, unpack } from "../../src/index.ts";
import { errnos } from "../../src/linux/errno.ts";
import { failure } from "../../src/rootfs/failure.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, file, tar } from "../support/tar-builder.ts";
import { skipUnlessMounting } from "../support/tools.ts";
import { mountWithoutModes, skipWithoutCaseless } from "../support/without-case.ts";

// What a file system takes from files without an error.

const layer = tar(directory("d", { mode: 0o700 }), file("d/a", "a", { mode: 0o640, uid: 7 }), file("d/b", "b"));

/** Unpacks, and gives what was left out. */
async function leftOut(place: Scratch, target: string, options: Parameters<typeof unpack>[2] = {}) {
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "v1", images: [image([layer])] }]);
  const events: OciUnpackEvent[] = [];
  const platform = "linux/amd64";
  await unpack(`oci:${layout}:v1`, target, { platform, ...options, onEvent: (event) => events.push(event) });
  return events.flatMap((event) => (event.type === "skipped" ? [`${event.reason} of ${event.path}`] : []));
}

const skip = skipUnlessMounting() || skipWithoutCaseless();

test("that modes and owners get lost is told once, and is an error with `strict`", { skip }, async () => {
  await using place = await scratch();
  using mounted = mountWithoutModes(place.directory);
  assert.deepEqual(await leftOut(place, join(mounted.directory, "a")), ["mode of .", "owner of ."]);
  assert.equal(lstatSync(join(mounted.directory, "a/rootfs/d/a")).mode & 0o7777, 0o777);
  assert.deepEqual(await leftOut(place, join(mounted.directory, "b"), { owner: "ignore" }), ["mode of ."]);
  await assert.rejects(leftOut(place, join(mounted.directory, "c"), { strict: true }), {
    code: "STRICT_VIOLATION",
    message: /keeps no modes/,
  });
  assert.deepEqual(readdirSync(mounted.directory).sort(), ["a", "b"]);
});

test("an owner that a mount maps to none is left out", { skip: skipUnlessMounting() }, async (context) => {
  await using place = await scratch();
  const [below, mapped] = ["below", "mapped"].map((name) => join(place.directory, name)) as [string, string];
  for (const path of [below, mapped]) mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", below]);
  try {
    const mounting = ["--bind", "-o", "X-mount.idmap=b:0:0:5", below, mapped];
    if (spawnSync("mount", mounting, { stdio: "ignore" }).status !== 0) {
      return context.skip("no mount that maps users can be made here");
    }
    try {
      assert.deepEqual(await leftOut(place, join(mapped, "target")), ["owner of d/a"]);
      assert.equal(lstatSync(join(mapped, "target/rootfs/d/a")).uid, 0);
    } finally {
      execFileSync("umount", [mapped]);
    }
  } finally {
    execFileSync("umount", [below]);
  }
});

test("where nothing gets lost nothing is told", async () => {
  await using place = await scratch();
  assert.deepEqual(await leftOut(place, join(place.directory, "target"), { owner: "ignore" }), []);
});

test("a name that only the file system does not take is not the image's fault", () => {
  const error = failure("create", byteStringOf("a"), "symlinkat", -errnos.ENAMETOOLONG);
  assert.deepEqual([error.code, error.details.path], ["FILE_SYSTEM", "a"]);
  assert.match(error.hint ?? "", /file system takes only shorter names/);
});
