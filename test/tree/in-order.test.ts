import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Directory } from "../../src/layer/directory.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { type ByteString, byteStringOf } from "../../src/tar/byte-string.ts";
import { inOrder } from "../../src/tree/in-order.ts";
import { MergedTree } from "../../src/tree/merged-tree.ts";
import type { TreeDirectory } from "../../src/tree/tree-file.ts";
import { file, hardlink, type Member } from "../support/entries.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

test("a further name comes with the path of the first, from wherever the listing begins", () => {
  const root = treeOf([file("a/b/f"), hardlink("a/c/g", "a/b/f"), hardlink("a/h", "a/b/f"), hardlink("z", "a/b/f")]);
  assert.deepEqual(links(root, ""), [
    ["a/c/g", "a/b/f"],
    ["a/h", "a/b/f"],
    ["z", "a/b/f"],
  ]);
  const a = root.knownChild(byteStringOf("a"));
  assert.ok(a instanceof Directory);
  assert.deepEqual(links(a, "a"), [
    ["a/c/g", "a/b/f"],
    ["a/h", "a/b/f"],
  ]);
});

test("files with further names do not hold their long paths while a tree is gone through", () => {
  const deep = `${"directory-of-a-name/".repeat(400)}`;
  const root = treeOf(linkedTwice(deep, 2000));
  const bytesBefore = heldBytes();
  let bytes = Number.POSITIVE_INFINITY;
  // The last but a few of them in the order of names.
  for (const { path } of inOrder(root)) {
    assert.ok(!path.includes("\0")); // whoever looks at a path makes one text of its parts
    if (path === `${deep}999`) bytes = heldBytes() - bytesBefore;
  }
  assert.ok(bytes < 4_000_000, `${bytes} bytes are held for 2000 files`);
});

/** One by one, so that nothing but the tree holds them. */
function* linkedTwice(directory: string, count: number): Iterable<Member> {
  for (let n = 0; n < count; n += 1) {
    yield file(`${directory}${n}`);
    yield hardlink(`z${n}`, `${directory}${n}`);
  }
}

function treeOf(members: Iterable<Member>): TreeDirectory {
  const tree = new MergedTree(applySettings({ devices: "create" }), { warning() {}, skipped() {} });
  const merge = tree.beginLayer(0, () => 0);
  for (const { entry } of members) merge.apply(entry, { read: () => undefined });
  merge.end();
  return tree.root;
}

function links(top: TreeDirectory, path: string): (readonly [string, string])[] {
  return [...inOrder(top, path as ByteString)].flatMap((item) =>
    item.file !== undefined && item.firstPath !== undefined ? [[item.path, item.firstPath] as const] : [],
  );
}

function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
