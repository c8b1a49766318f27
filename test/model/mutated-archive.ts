import assert from "node:assert/strict";
import { applied } from "../rules/apply.ts";
import { processorSeconds } from "../support/processor-time.ts";
import { archived } from "./archive.ts";
import { randomStack } from "./generator.ts";
import { mutated } from "./mutation.ts";
import { Random } from "./random.ts";

const MiB = 1024 * 1024;

/** Small enough that whatever grows without measure runs into one of them at once. */
const limits = { fileBytes: 16 * MiB, apparentFileBytes: 64 * MiB, headerBytes: 64 * 1024 };

/** Far more processor time than any stack of the generator takes: who needs this long hangs. */
const mostSeconds = 20;

/** Damages the layers of a seed and applies them. A crash throws by itself; hanging and errors without a type are errors here. */
export function assertHarmless(seed: number): void {
  const random = new Random(seed ^ 0x5eed);
  const layers = randomStack(seed).map((layer) => mutated(archived(layer), random));
  const seconds = processorSeconds(() => {
    const { outcome, message } = applied(layers, { limits });
    assert.notEqual(outcome, "INTERNAL", `seed ${seed}: ${message}`);
  });
  assert.ok(seconds < mostSeconds, `seed ${seed} takes for ever`);
}
