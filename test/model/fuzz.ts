import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { problemsOfStreams } from "../streams/generator.ts";
import { type Disagreement, disagreement } from "./comparison.ts";
import { randomStack } from "./generator.ts";
import type { Stack } from "./member.ts";
import { assertHarmless } from "./mutated-archive.ts";
import { shrunk } from "./shrink.ts";
import { stackText } from "./stack-text.ts";

// npm run fuzz -- [--minutes N] [--seed S]
//
// Compares the program with the model, damages archives, and decompresses streams with threads that decode ahead and
// without, for as long as one likes. Prints the smallest stack of layers that shows what it found, and ends with status 1
// then.

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const end = Date.now() + Number(values.minutes) * 60_000;
const first = Number(values.seed);

let seed = first;
for (let nextReport = Date.now(); Date.now() < end; seed++) {
  const stack = randomStack(seed);
  if (disagreement(stack) !== undefined) fail(shrunk(stack, (smaller) => disagreement(smaller) !== undefined));
  assertHarmless(seed);
  for (const problem of problemsOfStreams(2, seed, { "gzip in pieces": 4, "zstd in batches": 1 })) {
    assert.equal(problem, undefined, `seed ${seed}`);
  }
  if (Date.now() < nextReport) continue;
  console.error(`seeds ${first} … ${seed} agree`);
  nextReport += 10_000;
}
console.log(
  `${seed - first} stacks agree with the model, as many damaged ones do no harm, and twice as many streams are read alike (from --seed ${first} on)`,
);

function fail(stack: Stack): never {
  const { model, program, message } = disagreement(stack) as Disagreement;
  console.error(`seed ${seed} shrinks to\n\n${stackText(stack)}\n`);
  console.error(`the model says ${text(model)}\n\nthe program makes ${text(program)} ${message ?? ""}`);
  process.exit(1);
}

function text(outcome: unknown): string {
  return JSON.stringify(outcome, null, 2);
}
