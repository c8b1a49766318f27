import assert from "node:assert/strict";
import { once } from "node:events";
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { type SyncResult, sync, unpack } from "../../src/index.ts";
import { nobody } from "../../src/layer/findings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import type { Stat } from "../../src/linux/stat.ts";
import { closeDescriptor, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { ImageTrees } from "../../src/sync/image-trees.ts";
import { areLinked } from "../../src/sync/linked-files.ts";
import { StayingDirectories, type StayingObserver } from "../../src/sync/staying-directories.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { TreeFile } from "../../src/tree/tree-file.ts";
import { readTree } from "../rules/real-tree.ts";
import { file as namedFile } from "../support/entries.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, file, hardlink, symlink, tar } from "../support/tar-builder.ts";

// Directories in which all files stay, whose files get their further names while the rest is compared.

/** Links the files `a` and `b` of a directory, of which the inodes are known, after `meanwhile`. */
async function linked(meanwhile: (old: string, outside: string) => void) {
  const place = await scratch();
  const [old, target, outside] = ["old", "target", "outside"].map((name) => join(place.directory, name)) as Paths;
  for (const path of [old, target, outside]) mkdirSync(path);
  for (const name of ["a", "b"]) writeFileSync(join(old, name), name);
  mkdirSync(join(target, "directory"));
  const names = ["a", "b"].map(byteStringOf);
  const inodes = names.map((name) => lstatSync(join(old, name)).ino);
  const handles = [old, target].map(openDirectoryPath) as [number, number];
  meanwhile(old, outside);
  const areAll = areLinked(...handles, { names, inodes });
  for (const handle of handles) closeDescriptor(handle);
  return { areAll, target, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

type Paths = [old: string, target: string, outside: string];

test("the files of a directory get their further names", async () => {
  await using result = await linked((old) => writeFileSync(join(old, "c"), "another one"));
  assert.ok(result.areAll);
  assert.deepEqual(readdirSync(result.target), ["a", "b", "directory"]);
  assert.deepEqual(
    [lstatSync(join(result.target, "a")).nlink, readFileSync(join(result.target, "b"), "utf8")],
    [2, "b"],
  );
});

test("no file of a directory is linked where something else took the place of one that was compared", async () => {
  await using result = await linked((old, outside) => {
    writeFileSync(join(outside, "secret"), "secret");
    renameSync(join(old, "b"), join(outside, "b")); // it lives on, so that nothing else gets its number
    linkSync(join(outside, "secret"), join(old, "b"));
  });
  assert.equal(result.areAll, false);
  assert.deepEqual(readdirSync(result.target), ["directory"]);
});

test("nor where one became a symlink, or is gone", async () => {
  for (const isGone of [false, true]) {
    await using result = await linked((old, outside) => {
      renameSync(join(old, "b"), join(outside, "b"));
      if (!isGone) symlinkSync(outside, join(old, "b"));
    });
    assert.equal(result.areAll, false);
    assert.deepEqual(readdirSync(result.target), ["directory"]);
  }
});

const platform = "linux/amd64";
const base = tar(
  directory("etc", { mode: 0o555 }),
  file("etc/motd", "motd"),
  ...Array.from({ length: 50 }, (_, n) => file(`usr/lib/${n}`, `${n}`)),
  symlink("usr/lib/link", "1"),
  directory("usr/lib/empty"),
  file("usr/bin/tool", "1"),
  hardlink("usr/bin/again", "usr/bin/tool"),
  file("usr/bin/other", "other"),
);

async function layoutOf({ directory: place }: Scratch, versions: readonly (readonly Uint8Array[])[]) {
  const layout = join(place, "layout");
  const images = versions.map((layers, index) => ({ tag: `v${index}`, images: [image(layers)] }));
  await writeImageLayout(layout, images);
  return (version: number) => `oci:${layout}:v${version}`;
}

/** Makes the first version of a directory the second one, after `meanwhile`, and insists that it is. */
async function synced(
  layers: readonly (readonly Uint8Array[])[],
  meanwhile: (rootfs: string) => void = () => {},
): Promise<SyncResult & { readonly kept: readonly string[] }> {
  await using place = await scratch();
  const name = await layoutOf(place, layers);
  const fresh = await unpack(name(1), join(place.directory, "fresh"), { platform });
  const target = join(place.directory, "target");
  const { rootfs } = await unpack(name(0), target, { platform });
  meanwhile(rootfs);
  const paths = ["etc/motd", "usr/lib/7", "usr/lib/link", "usr/bin/other"];
  const inodes = () => paths.map((path) => lstatSync(join(rootfs, path), { throwIfNoEntry: false })?.ino);
  const before = inodes();
  const result = await sync(name(1), target, { platform });
  assert.deepEqual(readTree(rootfs), readTree(fresh.rootfs));
  assert.deepEqual(readdirSync(target).sort(), ["config.json", "rootfs"]);
  const after = inodes();
  return { ...result, kept: paths.filter((_, index) => before[index] === after[index]) };
}

test("what stays is the same file in the new root, beside what changes and in directories of its own", async () => {
  const result = await synced([
    [base],
    [base, tar(file("usr/bin/tool", "2"), directory("new"), file("new/file", "3"))],
  ]);
  assert.deepEqual([result.added, result.removed, result.changed, result.writtenBytes], [2, 0, 2, 2]);
  assert.deepEqual(result.kept, ["etc/motd", "usr/lib/7", "usr/lib/link", "usr/bin/other"]);
});

test("a directory that lacks something, or has more, is made as the image has it", async () => {
  const result = await synced([[base], [base, tar(file("usr/bin/tool", "2"))]], (rootfs) => {
    unlinkSync(join(rootfs, "usr/lib/7"));
    writeFileSync(join(rootfs, "usr/lib/more"), "more");
    renameSync(join(rootfs, "usr/lib/empty"), join(rootfs, "usr/lib/moved"));
    writeFileSync(join(rootfs, "usr/lib/moved/file"), "");
  });
  assert.deepEqual([result.added, result.removed], [2, 3]);
  assert.deepEqual(result.kept, ["etc/motd", "usr/lib/link", "usr/bin/other"]);
});

test("files with names outside stay, too", async () => {
  await using elsewhere = await scratch();
  const result = await synced([[base], [base, tar(file("usr/bin/tool", "2"))]], (rootfs) => {
    linkSync(join(rootfs, "usr/lib/7"), join(elsewhere.directory, "7"));
  });
  assert.deepEqual(result.kept, ["etc/motd", "usr/lib/7", "usr/lib/link", "usr/bin/other"]);
});

test("what is remembered at a time of the files of one directory has a limit", () => {
  const settings = applySettings({ owner: "ignore" });
  const { wanted, memory } = new ImageTrees(settings, nobody);
  const many = { inode: 1, fileSystem: "0:1", nameCount: 1 } as Stat;
  const told: number[] = [];
  const observer: StayingObserver = {
    makeDirectory() {},
    linkFiles(_directory, _from, { names }) {
      told.push(names.length);
      return true;
    },
  };
  const entry = { ...namedFile("a").entry, type: "file" } as const;
  const named = new TreeFile("file", entry, { layer: 0, xattrs: undefined, content: 0 });
  for (const count of [8192, 8193]) {
    const staying = new StayingDirectories(observer, memory);
    staying.enter(wanted, byteStringOf("."), many);
    let taken = 0;
    for (let each = 0; each < count; each += 1) {
      if (staying.take(named, byteStringOf(`${each}`), many)) taken += 1;
      else staying.breakUp();
    }
    assert.equal(taken, 8192);
    assert.equal(staying.leave(-1).length, count > 8192 ? 8192 : 0);
    assert.equal(staying.isComplete(wanted), count === 8192);
  }
  assert.deepEqual(told, [8192]);
});

test("a new root that was begun goes where other layers turn out to make the same files", async () => {
  const result = await synced([[base], [base, tar(file("etc/motd", "motd"))]]);
  assert.deepEqual([result.added, result.removed, result.changed, result.writtenBytes], [0, 0, 0, 0]);
  assert.deepEqual(result.kept, ["etc/motd", "usr/lib/7", "usr/lib/link", "usr/bin/other"]);
});

test("nothing is left open for Node to close, of which it would warn in a worker thread", async () => {
  await using place = await scratch();
  const name = await layoutOf(place, [[base], [base, tar(file("new"))]]);
  const target = join(place.directory, "target");
  await unpack(name(0), target, { platform });
  const probe = new URL("sync-probe.js", import.meta.url);
  for (const version of [1, 1, 0]) {
    const argv = [name(version), target, JSON.stringify({ platform })];
    const worker = new Worker(probe, { argv, stderr: true });
    const [warnings] = await Promise.all([text(worker.stderr), once(worker, "exit")]);
    assert.equal(warnings, "");
  }
});
