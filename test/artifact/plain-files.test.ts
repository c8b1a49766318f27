import assert from "node:assert/strict";
import { openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { PlainFiles } from "../../src/artifact/plain-files.ts";
import { ContentFile } from "../../src/blob/content-file.ts";
import { nobody } from "../../src/layer/findings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { MergedTree } from "../../src/tree/merged-tree.ts";
import { file, type Member, symlink } from "../support/entries.ts";
import { scratch } from "../support/scratch.ts";

test("by paths, each file is made anew: what has its name already stays as it is", async () => {
  await using place = await scratch();
  writeFileSync(join(place.directory, "a"), "theirs");
  assert.throws(() => makeIn(place.directory, [file("a")]), { code: "ENTRY_REFUSED" });
  assert.equal(readFileSync(join(place.directory, "a"), "utf8"), "theirs");
});

test("by paths, files and symlinks are made where the tree has them, and nothing outside", async () => {
  await using place = await scratch();
  const made = join(place.directory, "made");
  await using outside = await scratch();
  makeIn(place.directory, [file("made/f"), symlink("out", outside.directory), file("z")]);
  assert.deepEqual(readdirSync(outside.directory), []);
  assert.deepEqual(readdirSync(made), ["f"]);
});

function makeIn(directory: string, members: readonly Member[]): void {
  const tree = new MergedTree(applySettings({ owner: "ignore" }), nobody);
  const merge = tree.beginLayer(0, () => 0);
  for (const { entry } of members) merge.apply(entry, { read: () => undefined });
  merge.end();
  new PlainFiles(directory, new ContentFile(openSync("/dev/null", "r"), "/dev"), nobody).write(tree.root);
}
