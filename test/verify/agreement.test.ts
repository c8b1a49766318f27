import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import { MemoryBudget } from "../../src/base/memory-budget.ts";
import type { ApplyOptions } from "../../src/layer/settings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { closeDescriptor, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { ownRights } from "../../src/linux/thread.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { ContentDigests } from "../../src/tree/content-digests.ts";
import { MergedTree } from "../../src/tree/merged-tree.ts";
import type { TreeFile } from "../../src/tree/tree-file.ts";
import { Comparison } from "../../src/verify/comparison.ts";
import { tellingDifferences } from "../../src/verify/comparison-observer.ts";
import type { Difference } from "../../src/verify/difference.ts";
import { archived, sourceOf } from "../model/archive.ts";
import { randomStack } from "../model/generator.ts";
import { stackText } from "../model/stack-text.ts";
import { applied } from "../rules/apply.ts";
import { isThorough } from "../support/thorough.ts";
import { skipUnlessRoot } from "../support/tools.ts";

const nobody = { warning() {}, skipped() {} };

/** Where a directory is not what layers make together. */
function differences(directory: string, layers: readonly Uint8Array[], options: ApplyOptions): readonly Difference[] {
  const limits = defaultLimits;
  const settings = applySettings(options);
  const digests = new ContentDigests(new MemoryBudget(settings.limits));
  const tree = new MergedTree(settings, nobody);
  for (const [index, layer] of layers.entries()) {
    const decoder = new TarDecoder(sourceOf(layer), { limits, strict: false, warning() {} });
    const merge = tree.beginLayer(index, (_entry, body) => {
      const hash = createHash("sha256");
      for (let piece = body.read(); piece !== undefined; piece = body.read()) hash.update(piece);
      return digests.add(hash.digest());
    });
    for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) merge.apply(entry, decoder);
    merge.end();
  }
  const found: Difference[] = [];
  const handle = openDirectoryPath(directory);
  try {
    const observer = tellingDifferences((difference) => void found.push(difference));
    const digestOf = ({ content }: TreeFile) => digests.get(content);
    new Comparison({ settings, rights: ownRights(), digestOf, observer }).compare(tree.root, handle);
  } finally {
    closeDescriptor(handle);
  }
  return found;
}

test("whatever layers become on a disk, a comparison finds it unchanged", { skip: skipUnlessRoot() }, () => {
  const seeds = isThorough ? 1000 : 300;
  let compared = 0;
  for (let seed = 0; seed < seeds; seed += 1) {
    const stack = randomStack(seed);
    const layers = stack.map(archived);
    const options: ApplyOptions = {
      owner: seed % 3 === 0 ? "ignore" : "preserve",
      devices: seed % 2 === 0 ? "skip" : "create",
      keepDirlinks: seed % 4 < 2,
      sourceDateEpoch: seed,
    };
    applied(layers, {
      options,
      also(rootfs) {
        compared += 1;
        assert.deepEqual(differences(rootfs, layers, options), [], `seed ${seed}\n${stackText(stack)}`);
      },
    });
  }
  assert.ok(compared > 0.3 * seeds, `only ${compared} stacks could be applied`);
});
