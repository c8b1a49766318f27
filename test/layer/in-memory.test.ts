import assert from "node:assert/strict";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { defaultLimits } from "../../src/base/limits.ts";
import { type Memory, MemoryBudget } from "../../src/base/memory-budget.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { closeDescriptor, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { removeChildren } from "../../src/rootfs/remove-tree.ts";
import { openRootfs } from "../../src/rootfs/rootfs.ts";
import { MergedTree } from "../../src/tree/merged-tree.ts";
import { directory, file, hardlink, type Member, opaque, pieces, symlink, whiteout } from "../support/entries.ts";
import { removeTree } from "../support/remove-tree.ts";
import { half } from "../support/thorough.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const limits = { ...defaultLimits, memoryBytes: Number.POSITIVE_INFINITY };
const settings = applySettings({ devices: "create", limits });
const nobody = { warning() {}, skipped() {} };

/** Where layers go, entry by entry. */
interface Ground {
  apply(layer: number, members: Iterable<Member>, isComplete: boolean): void;
  close(): void;
}

const grounds: Readonly<Record<string, (memory: Memory) => Ground>> = {
  "in memory"(memory) {
    const tree = new MergedTree(settings, nobody, { memory });
    return {
      apply(layer, members, isComplete) {
        const merge = tree.beginLayer(layer, () => 0);
        held.by = merge;
        for (const { entry } of members) merge.apply(entry, { read: () => undefined });
        if (isComplete) merge.end();
      },
      close() {},
    };
  },
  "on a disk"(memory) {
    const path = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "oci-unpack-test-"));
    const handle = openDirectoryPath(path);
    const rootfs = openRootfs(handle, settings, nobody, { memory });
    return {
      apply(layer, members, isComplete) {
        const applier = rootfs.beginLayer(layer);
        held.by = applier;
        for (const { entry, data } of members) applier.apply(entry, pieces(data));
        if (isComplete) applier.end();
      },
      close() {
        rootfs.close();
        removeChildren(handle);
        closeDescriptor(handle);
        removeTree(path);
      },
    };
  },
};

/** What is being applied stays in memory as long as somebody holds it. */
const held: { by?: unknown } = {};

interface Shape {
  readonly lower?: (index: number) => Member;
  readonly upper: (index: number) => Member;
  /** Whether the layer has ended. Links wait until then. */
  readonly isComplete?: boolean;
  readonly only?: keyof typeof grounds;
}

const shapes: Readonly<Record<string, Shape>> = {
  "files in one directory": { upper: (n) => file(`f${n}`), only: "in memory" },
  "files with long names": { upper: (n) => file(`${"f".repeat(200)}${n}`), only: "in memory" },
  "directories that entries name": { upper: (n) => directory(`d${n}`) },
  "directories that entries imply": { upper: (n) => file(`d${n}/f`) },
  "directories within each other": { upper: (n) => directory(`${"d/".repeat(n % 100)}d${n}`) },
  "directories with access-control lists": {
    upper: (n) => directory(`d${n}`, { xattrs: { "system.posix_acl_default": "x".repeat(100) } }),
  },
  symlinks: { upper: (n) => symlink(`s${n}`, "x".repeat(100)), only: "in memory" },
  "files with extended attributes": {
    upper: (n) => file(`f${n}`, "", { xattrs: { "user.a": "1", "user.b": "2".repeat(100), "user.c": "" } }),
    only: "in memory",
  },
  "sparse files": {
    upper: (n) => file(`f${n}`, "", { segments: segments(20), sizeBytes: 2 ** 40 }),
    only: "in memory",
  },
  "further names": { upper: (n) => (n === 0 ? file("f") : hardlink(`h${n}`, "f")), only: "in memory" },
  "hard links that wait": { upper: (n) => hardlink(`h${n}`, `nowhere/${n}`), isComplete: false },
  "hard links with attributes that wait": {
    upper: (n) => hardlink(`h${n}`, `nowhere/${n}`, { xattrs: { "user.a": "x".repeat(10_000) } }),
    isComplete: false,
  },
  "names that a second layer made": {
    lower: (n) => directory(`d${n}`),
    upper: (n) => file(`d${n}/f`),
    isComplete: false,
  },
};

function segments(count: number) {
  return Array.from({ length: count }, (_, index) => ({ offset: index * 2 ** 34, length: 2 ** 33 }));
}

const few = 200;
const many = 8000;

describe("what an image makes the program remember is counted as what it takes", () => {
  for (const [number, [where, open]] of Object.entries(grounds).entries()) {
    for (const [what, shape] of half(Object.entries(shapes), number)) {
      if ((shape.only ?? where) !== where) continue;
      test(`${where}: ${what}`, () => {
        const { counted, taken } = measured(open, shape);
        assert.ok(isMeasure(counted, taken), `${counted} bytes are counted, ${taken} taken`);
      });
    }
  }
});

function isMeasure(counted: number, taken: number): boolean {
  return counted > 0.9 * taken && counted < 3 * taken;
}

/** Once, or again where something else shows: code that is compiled, or thrown away, meanwhile lies in the same memory. */
function measured(open: (memory: Memory) => Ground, shape: Shape): ReturnType<typeof counting> {
  for (let attempt = 1; ; attempt += 1) {
    counting(open, shape, few); // the first time pays for compiled code too
    const found = counting(open, shape, many);
    if (isMeasure(found.counted, found.taken) || attempt === 4) return found;
  }
}

function counting(open: (memory: Memory) => Ground, { lower, upper, isComplete = true }: Shape, count: number) {
  let counted = 0;
  const add = (bytes: number) => {
    counted += bytes;
  };
  const ground = open({ spend: add, release: (bytes) => add(-bytes) });
  try {
    const bytesBefore = heldBytes();
    if (lower !== undefined) ground.apply(0, members(lower, count), true);
    ground.apply(lower === undefined ? 0 : 1, members(upper, count), isComplete);
    return { counted, taken: heldBytes() - bytesBefore };
  } finally {
    held.by = undefined;
    ground.close();
  }
}

describe("what is forgotten is counted no longer", () => {
  const cases: Readonly<Record<string, readonly (readonly Member[])[]>> = {
    "replaced by a file": [[file("d/e/a"), symlink("d/l", "x")], [file("d", "")]],
    "hidden by a whiteout": [
      [file("d/e/a"), symlink("d/l", "x")],
      [whiteout("d"), file("d")],
    ],
    "hidden by an opaque whiteout": [
      [file("d/e/a"), symlink("d/l", "x")],
      [opaque(""), file("d")],
    ],
    "a link that was made": [[hardlink("d", "f"), file("f"), whiteout("f")], [whiteout("f")]],
    "a link that another entry replaced": [[hardlink("d", "f"), file("d")]],
  };
  for (const [where, open] of Object.entries(grounds)) {
    for (const [what, layers] of Object.entries(cases)) {
      test(`${where}: ${what}`, () => {
        const bytes = [layers, [[file("d")]]].map((each) => countedFor(open, each));
        assert.ok((bytes[0] ?? 0) <= (bytes[1] ?? 0) + 200, `${bytes.join(" is more than ")}`);
      });
    }
  }
});

describe("names do not keep in memory the paths that they are a part of", () => {
  const long = (name: string) => `${"./".repeat(30_000)}${name}`;
  const cases: Readonly<Record<string, Shape>> = {
    "of files": { upper: (n) => file(long(`a-long-name-of-a-file-${n}`)) },
    "of directories": { upper: (n) => directory(long(`a-long-name-of-a-directory-${n}`)) },
    "of directories that are implied": { upper: (n) => file(long(`a-long-name-of-a-directory-${n}/a`)) },
    "of files of a second layer": {
      lower: (n) => file(`file-${n}`),
      upper: (n) => file(long(`a-long-name-of-a-file-${n}`)),
      isComplete: false,
    },
  };
  for (const [number, [where, open]] of Object.entries(grounds).entries()) {
    for (const [what, { lower, upper, isComplete = true }] of half(Object.entries(cases), number)) {
      test(`${where}: ${what}`, () => {
        const ground = open(new MemoryBudget(limits));
        try {
          const bytesBefore = heldBytes();
          if (lower !== undefined) ground.apply(0, members(lower, 500), true);
          ground.apply(lower === undefined ? 0 : 1, members(upper, 500), isComplete);
          const bytes = heldBytes() - bytesBefore;
          assert.ok(bytes < 5_000_000, `${bytes} bytes are held for 500 names`);
        } finally {
          held.by = undefined;
          ground.close();
        }
      });
    }
  }
});

function countedFor(open: (memory: Memory) => Ground, layers: readonly (readonly Member[])[]): number {
  let counted = 0;
  const ground = open({
    spend: (bytes) => {
      counted += bytes;
    },
    release: (bytes) => {
      counted -= bytes;
    },
  });
  try {
    for (const [index, layer] of layers.entries()) ground.apply(index, layer, true);
    return counted;
  } finally {
    ground.close();
  }
}

function* members(make: (index: number) => Member, count: number): Iterable<Member> {
  for (let index = 0; index < count; index += 1) yield make(index);
}

function heldBytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
