import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isThorough } from "../support/thorough.ts";
import { skipUnlessRoot } from "../support/tools.ts";
import { disagreement } from "./comparison.ts";
import { randomStack } from "./generator.ts";
import { shrunk } from "./shrink.ts";
import { stackText } from "./stack-text.ts";

const seeds = isThorough ? 10_000 : 500;
const seedsPerTest = 500;

describe("the tree on disk is the model's tree", { skip: skipUnlessRoot() }, () => {
  for (let first = 0; first < seeds; first += seedsPerTest) {
    test(`for the stacks of seeds ${first} to ${first + seedsPerTest - 1}`, () => {
      for (let seed = first; seed < first + seedsPerTest; seed++) assertAgreement(seed);
    });
  }
});

function assertAgreement(seed: number): void {
  const stack = randomStack(seed);
  if (disagreement(stack) === undefined) return;
  const smallest = shrunk(stack, (smaller) => disagreement(smaller) !== undefined);
  const found = disagreement(smallest);
  assert.deepEqual(found?.program, found?.model, `seed ${seed}: ${found?.message ?? ""}\n${stackText(smallest)}`);
}
