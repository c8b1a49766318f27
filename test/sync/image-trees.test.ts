import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import { nobody } from "../../src/layer/findings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { ImageTrees, type WhichTree } from "../../src/sync/image-trees.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { inOrder } from "../../src/tree/in-order.ts";
import type { TreeDirectory } from "../../src/tree/tree-file.ts";
import { sourceOf } from "../model/archive.ts";
import { directory, file, hardlink, symlink, tar } from "../support/tar-builder.ts";

const shared = tar(
  directory("etc"),
  file("etc/one", "one"),
  file("etc/two", "two"),
  symlink("lib", "usr/lib"),
  directory("usr/lib"),
  file("usr/lib/a", "a"),
  hardlink("usr/lib/b", "usr/lib/a"),
);
const wantedTop = tar(file("etc/one", "another one"), file("etc/.wh.two"), file("lib/c", "c"));
const saidTop = tar(hardlink("etc/one", "etc/one"), file("etc/.wh..wh..opq"), directory("usr/lib", { mode: 0o700 }));

/** Trees of layers, each with the trees that it is in. */
function trees(...layers: readonly (readonly [Uint8Array, ...WhichTree[]])[]): ImageTrees {
  const made = new ImageTrees(applySettings({}), nobody);
  const numbers = { wanted: 0, said: 0 };
  for (const [archive, ...which] of layers) {
    const number = Math.max(...which.map((tree) => numbers[tree]));
    for (const tree of which) numbers[tree] += 1;
    const entries = made.beginLayer(number, which);
    const decoder = new TarDecoder(sourceOf(archive), { limits: defaultLimits, strict: false, warning() {} });
    for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) entries.apply(entry, decoder);
    entries.end();
  }
  return made;
}

function listed(root: TreeDirectory): readonly string[] {
  return [...inOrder(root)].map(({ path, file: each, directory: here }) =>
    here === undefined ? `${path} ${each.sizeBytes} L${each.layer}` : `${path}/ ${here.attributes.mode.toString(8)}`,
  );
}

test("two images have the trees that they have by themselves, whatever they share", () => {
  const both = trees([shared, "wanted", "said"], [wantedTop, "wanted"], [saidTop, "said"]);
  assert.deepEqual(listed(both.wanted), listed(trees([shared, "wanted"], [wantedTop, "wanted"]).wanted));
  const alone = trees([shared, "said"], [saidTop, "said"]).said;
  const names = (root: TreeDirectory) => listed(root).map((line) => line.replace(/ L\d+$/, ""));
  assert.deepEqual(names(both.said), names(alone));
  assert.ok(names(both.said).includes("etc/one 3"), "a link to itself is of the layer that has it");
  assert.ok(!names(both.said).some((line) => line.startsWith("etc/two")));
});

test("what is said has no layer that only the other one has, and the other way round", () => {
  const more = trees([shared, "wanted", "said"], [wantedTop, "wanted"]);
  assert.deepEqual(listed(more.said).length, listed(trees([shared, "said"]).said).length);
  const less = trees([shared, "wanted", "said"], [saidTop, "said"]);
  assert.deepEqual(listed(less.wanted), listed(trees([shared, "wanted"]).wanted));
});

test("without layers nothing is said, and the same layers say the same", () => {
  assert.deepEqual(listed(trees([shared, "wanted"]).said), ["/ 755"]);
  const same = trees([shared, "wanted", "said"]);
  assert.equal(same.said, same.wanted);
});
