import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Directory } from "../../src/layer/directory.ts";
import { nobody } from "../../src/layer/findings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { closeDescriptor, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { type DiskDirectory, DiskState, type OnDisk } from "../../src/rootfs/disk-directory.ts";
import { HandedFileMaker } from "../../src/rootfs/handed-file-maker.ts";
import { HandedFiles, type Makers, type Outcome } from "../../src/rootfs/handed-files.ts";
import { NewDirectories } from "../../src/rootfs/new-directories.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { built } from "../support/building.ts";
import { directory, file, hardlink, type Member, opaque, pieces, symlink, whiteout } from "../support/entries.ts";
import { scratch } from "../support/scratch.ts";

/** Layers in which something is done to what was made just before. */
const cases: Readonly<Record<string, readonly (readonly Member[])[]>> = {
  "a file that is named twice is the later one": [[file("a", "1"), file("a", "22"), symlink("a", "b"), file("a", "4")]],
  "a directory takes the place of a file, and a file that of a directory with files in it": [
    [file("a", "1"), directory("a"), file("a/b", "2"), file("a/c/d", "3"), file("a", "4"), file("a/e", "5")],
  ],
  "a hard link is made to a file that is complete": [[file("a", "1", { mode: 0o4711 }), hardlink("b", "a"), file("a")]],
  "a path does not lead through a file": [[file("a", "1"), file("a/b", "2")]],
  "a file takes the place of a symlink that paths led through": [
    [directory("d"), symlink("l", "d"), file("l/a", "1")],
    [file("l/b", "2"), file("l", "3"), file("l/c", "4")],
  ],
  "a whiteout hides what is below, and nothing of its own layer": [
    [file("d/a", "1"), file("d/b", "2"), file("e", "3")],
    [file("d/c", "4"), opaque("d"), file("e", "5"), whiteout("e"), file("f", "6"), whiteout("d/a")],
  ],
  "set-user-ID bits, owners and times stay": [[file("a", "1", { mode: 0o6755, uid: 1, gid: 2, mtime: 5, atime: 7 })]],
};

for (const [title, layers] of Object.entries(cases)) {
  test(`${title}, whoever makes the files`, () => {
    using one = built(layers, { isHandedOn: false });
    using several = built(layers, { isHandedOn: true });
    const { skipped, warnings, tree } = several;
    assert.deepEqual({ skipped, warnings, tree }, { skipped: one.skipped, warnings: one.warnings, tree: one.tree });
  });
}

test("what is told of files comes in the order of the archive, whoever makes them", () => {
  const far = { mtime: 2 ** 40 };
  const layers = [
    Array.from({ length: 40 }, (_, index) => (index % 3 === 0 ? file("same") : file(`${index}`, "", far))),
  ];
  using one = built(layers, { isHandedOn: false });
  using several = built(layers, { isHandedOn: true });
  assert.deepEqual(several.warnings, one.warnings);
  assert.deepEqual(several.skipped, one.skipped);
  assert.ok(one.warnings.length > 10);
});

const made: Outcome = { findings: [] };

/** Makers whose files come to what a list says, the files of each maker in their order. */
class KnownMakers implements Makers {
  readonly #outcomes: readonly Outcome[][];
  #given = 0;
  #known = 0;
  mostOnTheirWay = 0;

  constructor(outcomes: readonly Outcome[][]) {
    this.#outcomes = outcomes;
  }

  begin(): void {}

  give(): number {
    this.#given += 1;
    this.mostOnTheirWay = Math.max(this.mostOnTheirWay, this.#given - this.#known);
    return (this.#given - 1) % this.#outcomes.length;
  }

  outcome(maker: number, wait: boolean): Outcome | undefined {
    if (!wait) return undefined;
    this.#known += 1;
    return this.#outcomes[maker]?.shift() ?? made;
  }
}

function root(): DiskDirectory {
  const attributes = { mode: 0o755, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 }, atime: undefined };
  return new Directory<OnDisk>(undefined, { layer: 0, attributes, own: new DiskState(0o700) });
}

function given(makers: Makers, count: number): HandedFiles {
  const handed = new HandedFiles(makers, nobody);
  const parent = root();
  for (let index = 0; index < count; index += 1) {
    const { entry, data } = file(`${index}`);
    handed.give({ directory: parent, name: byteStringOf(`${index}`), entry }, pieces(data));
  }
  return handed;
}

test("of several errors the one of the first file in the archive is thrown, whenever it is known", () => {
  const failed = (message: string): Outcome => ({ findings: [], error: new Error(message) });
  const makers = new KnownMakers([
    [made, made],
    [made, failed("fifth")],
    [failed("third"), made],
  ]);
  const handed = given(makers, 6);
  const later = () => {
    throw new Error("of a later entry");
  };
  assert.throws(() => handed.inOrder(later), /third/);
  assert.throws(() => handed.settle(), /third/);
  assert.throws(() => given(new KnownMakers([[made]]), 1).inOrder(later), /of a later entry/);
});

test("no more than 256 files are on their way", () => {
  const makers = new KnownMakers([[], []]);
  given(makers, 2000).settle();
  assert.equal(makers.mostOnTheirWay, 256);
});

test("what is in new directories is known of a number of names, and never wrong", () => {
  const known = new NewDirectories();
  const [old, young, never] = [root(), root(), root()];
  const name = (index: number) => byteStringOf(`${index}`);
  known.begin(old);
  known.add(old, name(0));
  known.begin(young);
  assert.deepEqual([known.isFree(old, name(0)), known.isFree(old, name(1))], [false, true]);
  assert.equal(known.isFree(never, name(1)), false, "nothing is known of it");
  for (let index = 0; index < 20_000; index += 1) known.add(young, name(index));
  assert.equal(known.isFree(old, name(1)), false, "it is forgotten");
  assert.equal(known.isFree(young, name(5)), false);
  for (let index = 0; index < 300; index += 1) known.begin(root());
  assert.equal(known.isFree(young, name(20_001)), false);

  const [first, second] = [root(), root()];
  known.begin(first);
  for (let index = 0; index < 255; index += 1) known.begin(root());
  assert.equal(known.isFree(first, name(0)), true);
  known.begin(second);
  assert.deepEqual([known.isFree(first, name(0)), known.isFree(second, name(0))], [false, true]);
});

test("a file is made where somebody put a symlink meanwhile, and nothing behind that", async () => {
  await using place = await scratch();
  const [root, outside] = ["root", "outside"].map((name) => join(place.directory, name));
  assert.ok(root !== undefined && outside !== undefined);
  mkdirSync(root);
  writeFileSync(outside, "kept");
  symlinkSync(outside, join(root, "a"));
  const handle = openDirectoryPath(root);
  try {
    const traits = { uid: 0, gid: 0, keepsModes: false, foldsNames: false };
    using maker = new HandedFileMaker(handle, applySettings({ owner: "ignore" }), traits);
    const { entry, data } = file("a", "new");
    maker.enter(byteStringOf(""));
    maker.make(byteStringOf("a"), entry, pieces(data));
  } finally {
    closeDescriptor(handle);
  }
  assert.deepEqual([readFileSync(join(root, "a"), "utf8"), readFileSync(outside, "utf8")], ["new", "kept"]);
});

test("a maker goes through no symlink and to no place above the root", async () => {
  await using place = await scratch();
  const root = join(place.directory, "root");
  mkdirSync(root);
  symlinkSync("..", join(root, "up"));
  const handle = openDirectoryPath(root);
  try {
    const traits = { uid: 0, gid: 0, keepsModes: false, foldsNames: false };
    using maker = new HandedFileMaker(handle, applySettings(), traits);
    for (const path of ["..", "up", "nowhere"]) assert.throws(() => maker.enter(byteStringOf(path)), /cannot open/);
  } finally {
    closeDescriptor(handle);
  }
});
