import { applySettings } from "../../src/layer/settings.ts";
import { closeDescriptor, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { ownRights } from "../../src/linux/thread.ts";
import { MergedTree } from "../../src/tree/merged-tree.ts";
import { Comparison } from "../../src/verify/comparison.ts";
import { tellingDifferences } from "../../src/verify/comparison-observer.ts";
import type { Difference } from "../../src/verify/difference.ts";
import { built } from "../support/building.ts";
import { directory, file, type Member } from "../support/entries.ts";

/* Builds a deep tree in the given directory, compares it with what it was built from, and prints how many levels are right. */

const [, , within = "", depth = ""] = process.argv;
const path = (levels: number) => Array.from({ length: levels }, () => "d").join("/");
const members: Member[] = [];
for (let level = 1; level <= Number(depth); level += 1) members.push(directory(path(level)));
members.push(file(`${path(Number(depth))}/deepest`), file("z", "", { mode: 0o600 }));
using rootfs = built([members], { within, owner: "ignore" });

const settings = applySettings({ owner: "ignore" });
const tree = new MergedTree(settings, { warning() {}, skipped() {} });
const merge = tree.beginLayer(0, () => 0);
for (const { entry } of members) merge.apply(entry, { read: () => undefined });
merge.end();

const differences: Difference[] = [];
const comparison = new Comparison({
  settings,
  rights: ownRights(),
  digestOf: () => undefined,
  observer: tellingDifferences((difference) => differences.push(difference)),
});
const root = openDirectoryPath(rootfs.directory);
comparison.compare(tree.root, root);
closeDescriptor(root);
process.stdout.write(`${comparison.count} compared, ${differences.length} different\n`);
