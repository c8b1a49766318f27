import assert from "node:assert/strict";
import { isOciUnpackError } from "../../src/base/errors.ts";

/** How much more work the large input is than the small one. */
const factor = 4;
/** Twice as much of anything may take three times as long: quadratic work takes 16 times as long for four times as much. */
const tolerated = 3 ** Math.log2(factor);
const attempts = 5;
/** What the larger input may take at most, as often as what `yardstick` takes: some seconds on a usual machine. */
const mostYardsticks = 200;

/** The same for the table of shapes that are tried. */
export function fourTimes(few: number): number {
  return few * factor;
}

/**
 * Insists that four times as much of something takes at most nine times as long, and not very long at all: processor
 * time of this process, its threads included, so that what else the machine does hardly counts. `run` gives the time that it
 * took for so many.
 *
 * The large input is first, so that compiling is paid for there; noise is answered by further attempts. What takes less
 * than the yardstick is nothing that anybody waits for, and says little: a few thousand objects may live and die without
 * the collector of garbage, which four times as many need.
 */
export async function assertLinear(few: number, run: (count: number) => Promise<number> | number): Promise<void> {
  const many = fourTimes(few);
  let [fewTook, manyTook, unit] = [Infinity, Infinity, Infinity];
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    manyTook = Math.min(manyTook, await run(many));
    fewTook = Math.min(fewTook, await run(few));
    unit = Math.min(unit, yardstick());
    const isLinear = manyTook <= tolerated * Math.max(fewTook, unit);
    if (isLinear && manyTook <= mostYardsticks * unit) return;
    if (manyTook > 4 * mostYardsticks * unit) break;
  }
  const times = `${fewTook.toFixed(1)} and ${manyTook.toFixed(1)} ms`;
  assert.fail(
    `${many} take ${(manyTook / fewTook).toFixed(1)} times as long as ${few}: ${times}, the yardstick ${unit.toFixed(1)} ms`,
  );
}

/** What a fixed piece of work takes here, some ten milliseconds. */
function yardstick(): number {
  return processorTime(() => {
    let state = 1;
    for (let round = 0; round < 10_000_000; round += 1) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    if (state === 0) throw new RangeError("no number of the generator's");
  });
}

/** Milliseconds of processor time that something takes. What is refused has to be refused in time, too. */
export function processorTime(work: () => void): number {
  const before = process.cpuUsage();
  try {
    work();
  } catch (error) {
    if (!isOciUnpackError(error)) throw error;
  }
  return millisecondsSince(before);
}

/** The same for what waits. */
export async function processorTimeOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  try {
    await work();
  } catch (error) {
    if (!isOciUnpackError(error)) throw error;
  }
  return millisecondsSince(before);
}

function millisecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
