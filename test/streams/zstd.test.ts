import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../model/random.ts";
import { skipWithout } from "../support/tools.ts";
import { near } from "./boundaries.ts";
import { problemsOfStreams } from "./generator.ts";
import { problemOf } from "./reading.ts";
import { withRest } from "./stream.ts";
import { cutBefore, lastBytes } from "./way.ts";
import { frameEnds, frameOfSize, lastBlocks } from "./zstd-frames.ts";

const skip = skipWithout("zstd");
const junk = Buffer.from("what follows the frame");

for (const end of frameEnds) {
  test(`zstd frames that end near ${end} bytes, in blocks of all kinds, are read to their end, and no further`, {
    skip,
  }, () => {
    const random = new Random(end);
    const blocks = lastBlocks();
    for (let round = 0; round < 2; round += 1) {
      for (let size = end - near; size <= end + near; size += 1) {
        const last = blocks[(size * 3 + round * 7) % blocks.length] ?? assert.fail("there are no blocks");
        const stream = withRest(frameOfSize(size, last, random), 0, junk);
        const cutBytes = junk.length + ((size * (round + 3)) % (lastBytes + 1));
        const problem = problemOf(stream, cutBefore(stream.compressed.length, cutBytes));
        assert.equal(problem, undefined, `${stream.name}, cut ${cutBytes} before its end`);
      }
    }
  });
}

test("zstd frames of chance, alone and in a row, are read to their end, and no further", { skip }, () => {
  for (const problem of problemsOfStreams(1000, 3, { zstd: 3, "zstd by the tool": 1 }))
    assert.equal(problem, undefined);
});
