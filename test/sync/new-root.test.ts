import assert from "node:assert/strict";
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
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import type { ImageSource } from "../../src/blob/image-source.ts";
import { nobody } from "../../src/layer/findings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { closeDescriptor, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { ownRights } from "../../src/linux/thread.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { openRootfs } from "../../src/rootfs/rootfs.ts";
import { ImageTrees } from "../../src/sync/image-trees.ts";
import { NewRoot } from "../../src/sync/new-root.ts";
import { insistOnOwn } from "../../src/sync/own-directory.ts";
import { RereadImage } from "../../src/sync/reread-image.ts";
import { insistOnRoot } from "../../src/sync/root-check.ts";
import { SyncPlan } from "../../src/sync/sync-plan.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { nothing } from "../../src/tree/selection.ts";
import type { TreeFile } from "../../src/tree/tree-file.ts";
import { Comparison } from "../../src/verify/comparison.ts";
import type { EntrySink } from "../../src/worker/apply-entries.ts";
import { sourceOf } from "../model/archive.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, file, hardlink, tar } from "../support/tar-builder.ts";

// Somebody who may write to the directory changes things between the steps of a sync.

const settings = applySettings({ owner: "ignore" });
const layer = tar(
  directory("./"),
  directory("etc"),
  file("etc/stays", "stays"),
  file("etc/twice", "twice"),
  hardlink("etc/again", "etc/twice"),
  file("etc/mode", "data", { mode: 0o600 }),
  file("new", "new"),
);

/** Applies an archive to a new directory. */
function made(path: string, archive: Uint8Array): void {
  mkdirSync(path, { mode: 0o700 });
  const handle = openDirectoryPath(path);
  const rootfs = openRootfs(handle, settings, nobody);
  merged(archive, rootfs.beginLayer(0));
  rootfs.finish();
  rootfs.close();
  closeDescriptor(handle);
}

function merged(archive: Uint8Array, entries: EntrySink): void {
  const decoder = new TarDecoder(sourceOf(archive), { limits: defaultLimits, strict: false, warning() {} });
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) entries.apply(entry, decoder);
  entries.end();
}

/** A root that lacks `new`, and in which `etc/mode` has another mode, after it was compared with the layer. */
function compared(
  place: Scratch,
  work: (newRoot: NewRoot, old: string, target: string, check: () => void) => void,
): void {
  const [old, target] = [join(place.directory, "old"), join(place.directory, "target")];
  made(
    old,
    tar(
      directory("./"),
      directory("etc"),
      file("etc/stays", "stays"),
      file("etc/twice", "twice"),
      hardlink("etc/again", "etc/twice"),
      file("etc/mode", "data"),
    ),
  );
  mkdirSync(target, { mode: 0o700 });
  const trees = new ImageTrees(settings, nobody);
  merged(layer, trees.beginLayer(0, ["wanted"]));
  const rights = ownRights();
  const plan = new SyncPlan(trees.memory, rights);
  const handles = [old, target].map(openDirectoryPath) as [number, number];
  const digestOf = (each: TreeFile) => trees.data.withoutHoles(each);
  new Comparison({ settings, rights, digestOf, observer: plan }).compare(trees.wanted, handles[0]);
  const parts = { target: handles[1], old: handles[0], trees, plan, kept: nothing, settings, reporter: nobody };
  const newRoot = new NewRoot(parts);
  try {
    work(newRoot, old, target, () =>
      insistOnRoot({ trees, plan, settings, rights, kept: nothing, isTold: false }, handles[1]),
    );
  } finally {
    newRoot.close();
    for (const handle of handles) closeDescriptor(handle);
  }
}

/** Puts a file from outside in the place of one that was compared. */
function replace(path: string, place: Scratch): void {
  const secret = join(place.directory, "secret");
  writeFileSync(secret, "secret");
  unlinkSync(path);
  linkSync(secret, path);
}

test("a file that takes the place of one that was compared does not get into the new root", async () => {
  await using place = await scratch();
  compared(place, (newRoot, old, _target, check) => {
    replace(join(old, "etc/stays"), place);
    newRoot.lay();
    newRoot.fill(0, sourceOf(layer));
    newRoot.finish();
    assert.throws(check, { code: "FILE_SYSTEM", message: /changed meanwhile/ });
  });
});

test("nor does one that takes the place of a file with several names", async () => {
  await using place = await scratch();
  compared(place, (newRoot, old, target, check) => {
    const { ino } = lstatSync(join(old, "etc/twice"));
    replace(join(old, "etc/twice"), place);
    newRoot.lay();
    newRoot.fill(0, sourceOf(layer));
    newRoot.finish();
    check();
    assert.equal(readFileSync(join(target, "etc/twice"), "utf8"), "twice");
    const inodes = ["twice", "again"].map((name) => lstatSync(join(target, "etc", name)).ino);
    assert.ok(inodes[0] === inodes[1] && inodes[0] !== ino);
  });
});

test("what nobody changed is what it is to be", async () => {
  await using place = await scratch();
  compared(place, (newRoot, old, target, check) => {
    newRoot.lay();
    newRoot.fill(0, sourceOf(layer));
    newRoot.finish();
    check();
    for (const name of ["stays", "twice", "again"]) {
      const [before, after] = [old, target].map((root) => lstatSync(join(root, "etc", name)).ino);
      assert.equal(after, before);
    }
    writeFileSync(join(target, "etc/more"), "");
    assert.throws(check, { code: "FILE_SYSTEM", message: /etc\/more/ });
  });
});

test("a directory that becomes a symlink leads nowhere: what was in it comes out of the layers", async () => {
  await using place = await scratch();
  compared(place, (newRoot, old, target) => {
    mkdirSync(join(place.directory, "outside"));
    for (const name of ["stays", "mode"]) writeFileSync(join(place.directory, "outside", name), "none");
    renameSync(join(old, "etc"), join(place.directory, "gone"));
    symlinkSync(join(place.directory, "outside"), join(old, "etc"));
    assert.deepEqual(newRoot.lay(), [0]);
    newRoot.fill(0, sourceOf(layer));
    newRoot.finish();
    assert.equal(readFileSync(join(target, "etc/stays"), "utf8"), "stays");
    assert.equal(readFileSync(join(target, "etc/mode"), "utf8"), "data");
  });
});

test("data that were changed after they were compared come out of the layers", async () => {
  await using place = await scratch();
  compared(place, (newRoot, old, target) => {
    writeFileSync(join(old, "etc/mode"), "da");
    newRoot.lay();
    assert.deepEqual(readdirSync(join(target, "etc")).sort(), ["stays", "twice"]);
    newRoot.fill(0, sourceOf(layer));
    newRoot.finish();
    assert.equal(readFileSync(join(target, "etc/mode"), "utf8"), "data");
  });
});

test("a layer that is not what its index says is refused", async () => {
  await using place = await scratch();
  const other = tar(
    directory("./"),
    directory("etc"),
    file("etc/stays", "stays"),
    file("etc/twice", "twice"),
    hardlink("etc/again", "etc/twice"),
    file("etc/mode", "data", { mode: 0o600 }),
    file("new", "wen"),
  );
  compared(place, (newRoot) => {
    newRoot.lay();
    assert.throws(() => newRoot.fill(0, sourceOf(other)), { code: "DIGEST_MISMATCH" });
  });
});

test("a directory that has something in it is nobody's new root", async () => {
  await using place = await scratch();
  const handle = openDirectoryPath(place.directory);
  try {
    insistOnOwn(handle, ownRights());
    writeFileSync(join(place.directory, "planted"), "");
    assert.throws(() => insistOnOwn(handle, ownRights()), { code: "FILE_SYSTEM" });
  } finally {
    closeDescriptor(handle);
  }
});

test("bytes that were not verified are asked for again, and those that were are not", async () => {
  const right = new TextEncoder().encode("right");
  const descriptor = { mediaType: "x/y", digest: digestOf(right), sizeBytes: right.length };
  const answers = ["wrong", "right"];
  const image: ImageSource = {
    name: "x",
    manifest: () => Promise.reject(new Error("nobody asks for it")),
    async *blob() {
      yield new TextEncoder().encode(answers.shift() ?? "asked");
    },
  };
  await using reread = new RereadImage(image, tmpdir());
  const text = async () => {
    let all = "";
    for await (const chunk of reread.blob(descriptor)) all += new TextDecoder().decode(chunk);
    return all;
  };
  assert.equal(await text(), "wrong");
  assert.equal(await text(), "right");
  reread.keepRead();
  assert.equal(await text(), "right");
});
