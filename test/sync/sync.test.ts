import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sync, unpack, verify } from "../../src/index.ts";
import { readTree } from "../rules/real-tree.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, hardlink, symlink, tar, whiteout } from "../support/tar-builder.ts";

const time = { seconds: 1_600_000_000, nanoseconds: 5 };
const base = tar(
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

async function layoutIn(place: string): Promise<string> {
  const layout = join(place, "layout");
  await writeImageLayout(
    layout,
    images.map((each, index) => ({ tag: `v${index}`, images: [each] })),
  );
  return layout;
}

const counts = ({
  added,
  removed,
  changed,
  unchanged,
}: {
  added: number;
  removed: number;
  changed: number;
  unchanged: number;
}) => ({ added, removed, changed, unchanged });

describe("sync", () => {
  test("a directory that is not there becomes what is unpacked", async () => {
    await using place = await scratch();
    const layout = await layoutIn(place.directory);
    const [made, fresh] = [join(place.directory, "made"), join(place.directory, "fresh")];
    await unpack(`oci:${layout}:v1`, fresh);
    const result = await sync(`oci:${layout}:v1`, made);
    assert.deepEqual(counts(result), { added: 11, removed: 0, changed: 0, unchanged: 0 });
    assert.deepEqual(readTree(join(made, "rootfs")), readTree(join(fresh, "rootfs")));
    assert.deepEqual(readdirSync(made).sort(), ["config.json", "rootfs"]);
    assert.deepEqual(readFileSync(join(made, "config.json")), readFileSync(join(fresh, "config.json")));
  });
  test("an untouched directory stays as it is", async () => {
    await using place = await scratch();
    const layout = await layoutIn(place.directory);
    const target = join(place.directory, "target");
    await unpack(`oci:${layout}:v1`, target);
    const before = lstatSync(join(target, "rootfs"));
    const result = await sync(`oci:${layout}:v1`, target);
    assert.deepEqual(counts(result), { added: 0, removed: 0, changed: 0, unchanged: 11 });
    assert.equal(lstatSync(join(target, "rootfs")).ino, before.ino);
  });
  test("another version replaces what differs and leaves the rest where it is", async () => {
    await using place = await scratch();
    const layout = await layoutIn(place.directory);
    const [made, fresh] = [join(place.directory, "made"), join(place.directory, "fresh")];
    await unpack(`oci:${layout}:v0`, made);
    await unpack(`oci:${layout}:v1`, fresh);
    const kept = lstatSync(join(made, "rootfs/bin/su")).ino;
    const result = await sync(`oci:${layout}:v1`, made);
    assert.deepEqual(counts(result), { added: 2, removed: 1, changed: 1, unchanged: 8 });
    assert.equal(result.writtenBytes, 8);
    assert.equal(lstatSync(join(made, "rootfs/bin/su")).ino, kept);
    assert.deepEqual(readTree(join(made, "rootfs")), readTree(join(fresh, "rootfs")));
    assert.equal((await verify(made, `oci:${layout}:v1`)).differenceCount, 0);
    assert.deepEqual(readdirSync(made).sort(), ["config.json", "rootfs"]);
    await sync(`oci:${layout}:v0`, made);
    assert.equal((await verify(made, `oci:${layout}:v0`)).differenceCount, 0);
  });
  test("damage is repaired", async () => {
    await using place = await scratch();
    const layout = await layoutIn(place.directory);
    const made = join(place.directory, "made");
    const root = join(made, "rootfs");
    await unpack(`oci:${layout}:v0`, made);
    writeFileSync(join(root, "bin/true"), "eurt");
    chmodSync(join(root, "empty"), 0o600);
    rmSync(join(root, "bin/su2"));
    rmSync(join(root, "etc"), { recursive: true });
    const outside = join(place.directory, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "motd"), "canary");
    symlinkSync(outside, join(root, "etc"));
    mkdirSync(join(root, "extra/deep"), { recursive: true });
    await sync(`oci:${layout}:v0`, made);
    assert.equal((await verify(made, `oci:${layout}:v0`)).differenceCount, 0);
    assert.equal(readFileSync(join(outside, "motd"), "utf8"), "canary");
    assert.ok(!existsSync(join(root, "extra")));
  });
});
