import assert from "node:assert/strict";
import { test } from "node:test";
import { differentParts } from "../../src/base/option-words.ts";
import type { ImageDifference } from "../../src/diff/difference.ts";
import { archived } from "../model/archive.ts";
import { plainFile, randomStack } from "../model/generator.ts";
import type { Member, Stack } from "../model/member.ts";
import { isObjection, modelled } from "../model/model.ts";
import { Random } from "../model/random.ts";
import { stackText } from "../model/stack-text.ts";
import { layerRules } from "../rules/layer-rules.ts";
import { endMarker } from "../support/tar-builder.ts";
import { isThorough } from "../support/thorough.ts";
import { compared, comparedFromTop } from "./compared.ts";
import { type ExpectedDifference, expectedDifferences } from "./expected.ts";

const pairs = isThorough ? 500 : 60;

/** Two stacks that are good, of which every other pair has layers at the bottom in common. */
function* randomPairs(): Iterable<{ readonly first: Stack; readonly second: Stack; readonly shared: number }> {
  let found = 0;
  for (let seed = 0; found < pairs; seed += 2) {
    const [one, other] = [randomStack(seed), randomStack(seed + 1)];
    const shared = seed % 4 === 0 ? 0 : Math.max(1, one.length - 1);
    const pair = { first: one, second: [...one.slice(0, shared), ...other], shared };
    if (!isGood(pair.first) || !isGood(pair.second)) continue;
    found += 1;
    yield pair;
  }
}

function isGood(stack: Stack): boolean {
  try {
    modelled(stack, { devices: "create" });
    return true;
  } catch (error) {
    if (!isObjection(error)) throw error;
    return false;
  }
}

test("the differences of random images are those of the trees that the model makes of them", () => {
  const found = new Set<string>();
  for (const { first, second, shared } of randomPairs()) {
    const expected = expectedDifferences(modelledTree(first), modelledTree(second));
    const [one, other] = [first.map(archived), second.map(archived)];
    const said = `${stackText(first)}\n\n${stackText(second)}`;
    const differences = compared(one, other);
    assert.deepEqual(differences.map(asExpected), expected, said);
    assert.deepEqual(compared(one, other, { shared }), differences, said);
    assert.deepEqual(compared(one, other, { shared, indexed: true }), differences, said);
    assert.deepEqual(comparedFromTop(one, other, { shared }).differences, differences, said);
    for (const { kind, parts = [] } of expected) for (const each of [kind, ...parts]) found.add(each);
  }
  // All devices of the model are the same one.
  const all = ["added", "removed", "changed", ...differentParts.filter((part) => part !== "device")];
  assert.deepEqual([...found].sort(), all.sort());
});

/** Pairs whose last layers say much the same, as those of two builds do; only these layers are not shared. */
function* builtTwice(): Iterable<{ readonly first: Stack; readonly second: Stack; readonly shared: number }> {
  let found = 0;
  for (let seed = 0; found < pairs; seed += 1) {
    const random = new Random(seed);
    const [one, other] = [randomStack(seed), randomStack(seed + 1_000_000)];
    const last = withParents(other.at(-1) ?? []);
    const again = last
      .filter(() => random.chance(0.95))
      .map((member) => (random.chance(0.3) ? changed(member) : member));
    const pair = { first: [...one, last], second: [...one, again], shared: one.length };
    if (!isGood(pair.first) || !isGood(pair.second)) continue;
    found += 1;
    yield pair;
  }
}

/** As most programs write a layer, with an entry for each directory on the way. */
function withParents(layer: readonly Member[]): readonly Member[] {
  const parents = layer.flatMap(({ path }) => {
    const names = path.split("/").filter((name) => name !== "" && name !== ".");
    return names.slice(1).map((_, index) => names.slice(0, index + 1).join("/"));
  });
  const wanted = [...new Set(parents)].filter((path) => !path.includes("..") && !path.includes(".wh."));
  return [...wanted.map((path) => ({ ...plainFile, type: "directory" as const, path: `${path}/` })), ...layer];
}

function changed(member: Member): Member {
  const { content, type, mtime } = member;
  if (type === "file" && content !== "") return { ...member, content: `${content}+` };
  return { ...member, mode: 0o700, mtime: { ...mtime, seconds: mtime.seconds + 1 } };
}

test("what the layers above tell of two images is the same when those below are known, which it mostly needs not", () => {
  let readBases = 0;
  for (const { first, second, shared } of builtTwice()) {
    const [one, other] = [first.map(archived), second.map(archived)];
    const said = `${stackText(first)}\n\n${stackText(second)}`;
    const expected = compared(one, other);
    const { differences, isBaseRead } = comparedFromTop(one, other, { shared });
    assert.deepEqual(differences, expected, said);
    assert.deepEqual(comparedFromTop(one, other, { shared, indexed: true }).differences, expected, said);
    if (isBaseRead) readBases += 1;
  }
  assert.ok(
    readBases > pairs / 20 && readBases < pairs / 2,
    `the layers below were read for ${readBases} of ${pairs} pairs`,
  );
});

function modelledTree(stack: Stack) {
  return modelled(stack, { devices: "create" });
}

function asExpected(difference: ImageDifference): ExpectedDifference {
  // The model has ByteStrings in plain clothes.
  const { kind, path, pathBase64 } = difference;
  const bytes = pathBase64 === undefined ? Buffer.from(path) : Buffer.from(pathBase64, "base64");
  const named = { kind, path: bytes.toString("latin1") };
  return difference.kind === "changed" ? { ...named, parts: difference.parts } : named;
}

test("mirrored, the differences are mirrored", () => {
  for (const { first, second } of randomPairs()) {
    const [one, other] = [first.map(archived), second.map(archived)];
    assert.deepEqual(compared(other, one), compared(one, other).map(mirrored));
  }
});

function mirrored(difference: ImageDifference): ImageDifference {
  switch (difference.kind) {
    case "added": {
      const { second, ...named } = difference;
      return { ...named, kind: "removed", first: second };
    }
    case "removed": {
      const { first, ...named } = difference;
      return { ...named, kind: "added", second: first };
    }
    case "changed":
      return { ...difference, first: difference.second, second: difference.first };
  }
}

for (const { rule, claim, layers, options = {}, outcome } of layerRules) {
  if (typeof outcome === "string") continue; // there is no tree
  test(`an image has no differences from itself: ${rule}, ${claim}`, () => {
    // The same tree, of layers that are not the same.
    const others = layers.map((layer) => Buffer.concat([layer, endMarker]));
    for (const indexed of [false, true]) assert.deepEqual(compared(layers, others, { ...options, indexed }), []);
    const shared = Math.max(0, layers.length - 1);
    assert.deepEqual(comparedFromTop(layers, others, { ...options, shared }).differences, []);
  });
}
