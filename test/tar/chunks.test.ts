import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { Random } from "../model/random.ts";
import { decoded, inChunks } from "../support/decode.ts";
import { file, tar } from "../support/tar-builder.ts";
import { sampleArchives } from "../support/tar-samples.ts";

const SPLITS = 100;

for (const [name, archive] of Object.entries(sampleArchives)) {
  describe(`however it is cut into chunks, the archive decodes to the same entries: ${name}`, () => {
    const whole = decoded(archive);

    for (const size of [1, 7, 511, 512, 513, 1024]) {
      test(`chunks of ${size}`, () => {
        assert.deepEqual(decoded(archive, { chunkBytes: () => size }), whole);
      });
    }

    test(`${SPLITS} random cuts`, () => {
      for (let seed = 1; seed <= SPLITS; seed++) {
        const random = new Random(seed);
        const most = random.oneOf([3, 600, 2000, archive.length]);
        const split = decoded(archive, { chunkBytes: () => 1 + random.below(most) });
        assert.deepEqual(split, whole, `seed ${seed}`);
      }
    });
  });
}

test("data is handed on as it lies in the source's chunks, without a copy", () => {
  const archive = tar(file("f", new Uint8Array(10_000)));
  const chunks: Uint8Array[] = [];
  const source = inChunks(archive, () => 4096);
  const decoder = new TarDecoder(
    {
      read() {
        const chunk = source.read();
        if (chunk !== undefined) chunks.push(chunk);
        return chunk;
      },
    },
    { limits: defaultLimits, strict: true, warning: assert.fail },
  );
  decoder.next();
  const pieces = [decoder.read(), decoder.read(), decoder.read(), decoder.read()];
  assert.deepEqual(
    pieces.map((piece) => piece?.length),
    [4096 - 512, 4096, 10_000 - 4096 - 4096 + 512, undefined],
  );
  for (const [index, chunk] of chunks.entries()) assert.equal(pieces[index]?.buffer, chunk.buffer);
});

test("the source is read to its end, and not again after it", () => {
  let reads = 0;
  const source = inChunks(tar(file("f")), () => 512);
  const decoder = new TarDecoder(
    {
      read() {
        const chunk = source.read();
        reads += chunk === undefined ? 1000 : 1;
        return chunk;
      },
    },
    { limits: defaultLimits, strict: true, warning: assert.fail },
  );
  while (decoder.next() !== undefined);
  assert.equal(reads, 1003);
  assert.equal(decoder.next(), undefined);
  assert.equal(reads, 1003);
});
