import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { ApplyOptions } from "../../src/layer/settings.ts";
import { archived } from "../model/archive.ts";
import { randomStack } from "../model/generator.ts";
import type { Stack } from "../model/member.ts";
import { modelled, Refusal, Unspecified } from "../model/model.ts";
import { shrunk } from "../model/shrink.ts";
import { stackText } from "../model/stack-text.ts";
import { type Applied, applied } from "../rules/apply.ts";
import { isThorough } from "../support/thorough.ts";
import { skipUnlessRoot } from "../support/tools.ts";
import { merged } from "./merged.ts";

/** What the model says, in the words of the others; `undefined` where the rules leave it open. */
function modelOutcome(stack: Stack, seed: number): unknown {
  try {
    return modelled(stack, optionsFor(seed));
  } catch (error) {
    if (error instanceof Refusal) return "refused";
    if (error instanceof Unspecified) return undefined;
    throw error;
  }
}

function refusedOr({ outcome }: Applied): unknown {
  return typeof outcome === "string" ? "refused" : outcome;
}

/** Insists that two ways to apply a stack come to the same, and shows the smallest stack for which they do not. */
function assertSame(seed: number, one: (stack: Stack) => unknown, other: (stack: Stack) => unknown): void {
  const differs = (stack: Stack) => {
    const [first, second] = [one(stack), other(stack)];
    return first !== undefined && second !== undefined && !isDeepStrictEqual(first, second);
  };
  const stack = randomStack(seed);
  if (!differs(stack)) return;
  const smallest = shrunk(stack, differs);
  assert.deepEqual(one(smallest), other(smallest), `seed ${seed}\n${stackText(smallest)}`);
}

/** Both ways to treat devices have their turn. */
function optionsFor(seed: number) {
  return { devices: seed % 2 === 0 ? "skip" : "create", sourceDateEpoch: seed } as const;
}

const inMemory = (stack: Stack, options: ApplyOptions) => merged(stack.map(archived), { options });
const onDisk = (stack: Stack, options: ApplyOptions) => applied(stack.map(archived), { options });

test("the tree in memory is the model's tree", () => {
  for (let seed = 0; seed < (isThorough ? 3000 : 1000); seed += 1) {
    assertSame(
      seed,
      (stack) => modelOutcome(stack, seed),
      (stack) => refusedOr(inMemory(stack, optionsFor(seed))),
    );
  }
});

test("the tree in memory is the tree on disk, with the same repairs and the same things left out", {
  skip: skipUnlessRoot(),
}, () => {
  for (let seed = 0; seed < (isThorough ? 700 : 250); seed += 1) {
    const options = { ...optionsFor(seed), keepDirlinks: seed % 4 < 2 };
    assertSame(
      seed,
      (stack) => whole(inMemory(stack, options)),
      (stack) => whole(onDisk(stack, options)),
    );
  }
});

/** Two refusals need not have seen the same things before. */
function whole({ outcome, warnings, skipped }: Applied): unknown {
  return typeof outcome === "string" ? outcome : { outcome, warnings, skipped };
}
