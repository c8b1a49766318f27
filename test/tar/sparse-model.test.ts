import assert from "node:assert/strict";
import { closeSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import { writeContent } from "../../src/rootfs/write-content.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { flattened } from "../export/flattened.ts";
import { cutAtRandom, randomBytes, sourceOfPieces } from "../model/cuts.ts";
import { Random } from "../model/random.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { type SparseFile, sparseOldGnu, sparsePax00, sparsePax01, sparsePax10 } from "../support/tar-sparse.ts";

const formats = [sparseOldGnu, sparsePax00, sparsePax01, sparsePax10];

/** A file with runs of data, and what a reader sees of it. */
function randomSparseFile(random: Random): { readonly sparse: SparseFile; readonly content: Uint8Array } {
  const runs: { readonly offset: number; readonly content: Uint8Array }[] = [];
  let end = 0;
  for (let count = random.below(random.oneOf([3, 30])); count > 0; count -= 1) {
    const offset = end + random.below(random.oneOf([2, 700, 5000]));
    const content = randomBytes(random, 1 + random.below(random.oneOf([3, 600, 3000])));
    runs.push({ offset, content });
    end = offset + content.length;
  }
  const size = end + random.below(random.oneOf([1, 3, 5000]));
  const content = new Uint8Array(size);
  for (const run of runs) content.set(run.content, run.offset);
  return { sparse: { runs, size }, content };
}

test("sparse files of chance are written as they are, however their archive is cut, also after they were exported", async () => {
  await using place = await scratch();
  const path = join(place.directory, "file");
  const descriptor = openSync(path, "w+");
  const assertWrites = (archive: Uint8Array, content: Uint8Array, random: Random, message: string) => {
    const source = sourceOfPieces(cutAtRandom(archive, random, random.oneOf([3, 600, archive.length])));
    const decoder = new TarDecoder(source, { limits: defaultLimits, strict: true, warning() {} });
    const next = () => {
      let entry = decoder.next();
      while (entry !== undefined && entry.type !== "file") entry = decoder.next();
      return entry;
    };
    const entry = next() ?? assert.fail("there is no file");
    ftruncateSync(descriptor, 0);
    writeContent(descriptor, entry, decoder);
    assert.ok(readFileSync(path).equals(content), message);
    const after = next() ?? assert.fail("the second file is not found");
    ftruncateSync(descriptor, 0);
    writeContent(descriptor, after, decoder);
  };
  try {
    for (let seed = 0; seed < 100; seed += 1) {
      const random = new Random(seed);
      const { sparse, content } = randomSparseFile(random);
      const format = formats[seed % formats.length] ?? sparsePax10;
      const archive = tar(format("f", sparse), file("g", "after it"));
      assertWrites(archive, content, random, `seed ${seed}`);
      assertWrites(flattened([archive]), content, random, `seed ${seed}, exported`);
    }
  } finally {
    closeSync(descriptor);
  }
});
