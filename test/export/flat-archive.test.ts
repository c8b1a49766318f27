import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { archived } from "../model/archive.ts";
import { randomStack } from "../model/generator.ts";
import { isObjection, modelled } from "../model/model.ts";
import { expectedListing } from "../rules/expected.ts";
import { layerRules } from "../rules/layer-rules.ts";
import { readTree } from "../rules/real-tree.ts";
import { decoded } from "../support/decode.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { file, hardlink, opaque, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { sparsePax01 } from "../support/tar-sparse.ts";
import { isThorough } from "../support/thorough.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { merged } from "../tree/merged.ts";
import { flattened } from "./flattened.ts";

describe("one archive says what all layers say", () => {
  for (const { rule, claim, layers, options = {}, outcome, notText } of layerRules) {
    // What only a file system leaves out is still in an archive.
    if (typeof outcome === "string" || rule === "M9" || rule === "M11") continue;
    test(`${rule}: ${claim}`, () => {
      const flat = flattened(layers, options);
      const found = merged([flat], { options: { devices: "create" } });
      assert.deepEqual(found.outcome, { ...expectedListing(outcome), ...notText });
      assert.deepEqual({ warnings: found.warnings, skipped: found.skipped }, { warnings: [], skipped: [] });
      assert.doesNotMatch(Buffer.from(flat).toString("latin1"), /\.wh\./, "no whiteout is in it (W23)");
    });
  }
});

/** Random stacks that mean something. */
function stacks(count: number): readonly (readonly Uint8Array[])[] {
  const found: (readonly Uint8Array[])[] = [];
  for (let seed = 0; found.length < count; seed += 1) {
    const stack = randomStack(seed);
    try {
      modelled(stack);
      found.push(stack.map(archived));
    } catch (error) {
      if (!isObjection(error)) throw error;
    }
  }
  return found;
}

test("one archive says what random layers say", () => {
  for (const layers of stacks(isThorough ? 1000 : 300))
    assert.deepEqual(merged([flattened(layers)]).outcome, merged(layers).outcome);
});

const extractors = {
  tar: ["--extract", "--xattrs", "--xattrs-include=*", "--file"],
  bsdtar: ["--numeric-owner", "-xpPf"], // without -P a directory called `C:` would lose its name
} as const;

/** bsdtar of Debian 13 leaves the top directory's time alone, and misreads the fractions of times before 1970. */
const unlike = {
  tar: () => false,
  bsdtar: (path: string, mtime: string) => path === "." || mtime.startsWith("-"),
} as const;

for (const tool of ["tar", "bsdtar"] as const) {
  test(`${tool} makes of the archive what the layers say, to the last attribute`, {
    skip: skipUnlessRoot() || skipWithout(tool),
  }, async () => {
    await using place = await scratch();
    for (const [index, layers] of [sampleLayers(), ...stacks(isThorough ? 60 : 20)].entries()) {
      const root = join(place.directory, String(index));
      mkdirSync(root);
      writeFileSync(`${root}.tar`, flattened(layers));
      execFileSync(tool, [...extractors[tool], `${root}.tar`, "-C", root], { stdio: "pipe" });
      const wanted = merged(layers).outcome as ReturnType<typeof readTree>;
      const found = readTree(root);
      const comparable = (tree: typeof found) =>
        Object.fromEntries(
          Object.entries(tree).map(([path, item]) => {
            return [path, unlike[tool](path, wanted[path]?.mtime ?? "") ? { ...item, mtime: "-" } : item];
          }),
        );
      assert.deepEqual(comparable(found), comparable(wanted), `stack ${index}`);
    }
  });
}

function members(archive: Uint8Array): string[] {
  return decoded(archive).entries.map(({ type, path, linkPath }) => {
    return `${type} ${path}${linkPath === "" ? "" : ` → ${linkPath}`}`;
  });
}

test("the first name that is left of a file is the file, whichever name it had first (W24)", () => {
  const layers = [tar(file("b", "1"), hardlink("a", "b"), hardlink("c", "b"), hardlink("d", "b")), tar(whiteout("a"))];
  assert.deepEqual(members(flattened(layers)), ["directory ./", "file b", "hardlink c → b", "hardlink d → b"]);
  assert.deepEqual(members(flattened([...layers, tar(whiteout("b"))])), ["directory ./", "file c", "hardlink d → c"]);
});

test("an entry below a symlink stands where the link leads (T5)", () => {
  const layers = [tar(file("usr/lib/x", "1"), symlink("lib", "usr/lib")), tar(file("lib/y", "2"))];
  assert.deepEqual(members(flattened(layers)).slice(-2), ["file usr/lib/x", "file usr/lib/y"]);
});

test("everything stands in the order of its names' bytes, each directory before what is in it", () => {
  const layers = [tar(file("b/z", "1"), file("b/a/y", "2")), tar(file("a", "3"), file("b-", "4"), opaque("b/a"))];
  assert.deepEqual(members(flattened(layers)), [
    ...["directory ./", "file a", "directory b/", "directory b/a/", "file b/z", "file b-"],
  ]);
});

test("a sparse file keeps its holes, in runs that GNU tar reads", () => {
  const holed = {
    runs: [
      { offset: 0, content: "start" },
      { offset: 600, content: "same block" },
      { offset: 1_000_000, content: "far" },
    ],
    size: 5_000_000,
  };
  const [, entry] = decoded(flattened([tar(sparsePax01("a", holed))])).entries;
  assert.deepEqual(entry?.segments, [
    { offset: 0, length: 512 },
    { offset: 600, length: 512 },
    { offset: 1_000_000, length: 512 },
  ]);
  assert.equal(entry?.sizeBytes, 5_000_000);
  assert.equal(entry?.content, ["start", "same block", "far"].map((text) => text.padEnd(512, "\0")).join(""));
});
