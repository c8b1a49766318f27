import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Spool } from "../../src/blob/spool.ts";
import { SpoolStorage } from "../../src/blob/spool-storage.ts";
import { cutAtRandom } from "../model/cuts.ts";
import { Random } from "../model/random.ts";
import { body } from "../streams/bodies.ts";
import { scratch } from "../support/scratch.ts";

const KiB = 1024;

/** Gives way to the other side now and then. */
async function pause(random: Random): Promise<void> {
  if (random.chance(0.3)) await turn();
}

test("a spool gives what was written to it, whoever is faster and wherever memory ends", async () => {
  await using place = await scratch();
  for (let seed = 0; seed < 150; seed += 1) {
    const random = new Random(seed);
    const memoryBytes = random.oneOf([0, 1, 1 * KiB, 64 * KiB, 1024 * KiB]);
    const shared = random.oneOf([0, memoryBytes, 2 * memoryBytes]);
    const busyAt = random.oneOf([0, 0.1]);
    const processorUse = {
      get isHigh() {
        return random.chance(busyAt);
      },
    };
    await using storage = new SpoolStorage({ directory: place.directory, memoryBytes: shared, processorUse });
    const spool = new Spool({ storage, memoryBytes, isHeld: random.chance(0.3) });
    const isKept = random.chance(0.3);
    if (isKept) spool.keep();
    // Around a multiple of what is written to the file at a time.
    const size = random.oneOf([0, 1024 * KiB, 2048 * KiB]) + random.below(200) - random.oneOf([0, 100]);
    const content = body("noise", Math.max(0, size));
    const mostBytes = random.oneOf([10_000, 100_000, 1200 * KiB]);
    const writing = (async () => {
      for (const piece of cutAtRandom(content, random, mostBytes)) {
        await spool.write(piece);
        await pause(random);
      }
      await spool.end();
    })();
    for (let turns = random.below(6); turns > 0; turns -= 1) await turn();
    const readings = [spool.reading(), ...(isKept ? [spool.rereading] : [])];
    for (const reading of readings) {
      let length = 0;
      for await (const piece of typeof reading === "function" ? reading.call(spool) : reading) {
        const isRight = content.compare(piece, 0, piece.length, length, length + piece.length) === 0;
        assert.ok(isRight, `seed ${seed}: other bytes at ${length}`);
        length += piece.length;
        await pause(random);
      }
      assert.equal(length, content.length, `seed ${seed}`);
      await writing;
    }
  }
});
