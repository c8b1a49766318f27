import assert from "node:assert/strict";
import { test } from "node:test";
import { differentParts } from "../../src/base/option-words.ts";
import type { ImageDifference } from "../../src/diff/difference.ts";
import { archived } from "../model/archive.ts";
import { randomStack } from "../model/generator.ts";
import type { Stack } from "../model/member.ts";
import { isObjection, modelled } from "../model/model.ts";
import { stackText } from "../model/stack-text.ts";
import { layerRules } from "../rules/layer-rules.ts";
import { endMarker } from "../support/tar-builder.ts";
import { isThorough } from "../support/thorough.ts";
import { compared } from "./compared.ts";
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
    for (const { kind, parts = [] } of expected) for (const each of [kind, ...parts]) found.add(each);
  }
  // All devices of the model are the same one.
  const all = ["added", "removed", "changed", ...differentParts.filter((part) => part !== "device")];
  assert.deepEqual([...found].sort(), all.sort());
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
  });
}
