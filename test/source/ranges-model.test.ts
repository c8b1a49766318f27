import assert from "node:assert/strict";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { CallContext } from "../../src/base/call-context.ts";
import { skippingBytes } from "../../src/blob/image-source.ts";
import type { RegistryResponse } from "../../src/registry/client.ts";
import { parallelRanges, pieceBytes } from "../../src/registry/parallel-ranges.ts";
import { readRange } from "../../src/source/local/image-files.ts";
import { cutAtRandom } from "../model/cuts.ts";
import { Random } from "../model/random.ts";
import { body } from "../streams/bodies.ts";
import { closeAfter, type Fault, resetAfter, stating } from "../support/registry-reply.ts";
import { scratch } from "../support/scratch.ts";
import { blob, oneImage, puller } from "./pulling.ts";

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const chunk of chunks) pieces.push(Buffer.from(chunk));
  return Buffer.concat(pieces);
}

test("what is passed over is passed over, however the bytes come", async () => {
  for (let seed = 0; seed < 500; seed += 1) {
    const random = new Random(seed);
    const content = body("noise", random.below(300));
    const count = random.below(content.length + 1);
    const pieces = cutAtRandom(content, random, random.oneOf([1, 50, 300]));
    const rest = await joined(skippingBytes(count, Readable.from(pieces)));
    assert.ok(rest.equals(content.subarray(count)), `seed ${seed}`);
  }
});

test("a range of a file is exactly that range", async () => {
  await using place = await scratch();
  const path = join(place.directory, "file");
  const content = body("noise", 3_000_000);
  await writeFile(path, content);
  await using file = await open(path);
  for (let seed = 0; seed < 200; seed += 1) {
    const random = new Random(seed);
    const offset = random.below(content.length);
    const sizeBytes = random.below(random.oneOf([100, content.length - offset + 1]));
    const wanted = content.subarray(offset, offset + sizeBytes);
    const range = { offset, sizeBytes: wanted.length };
    assert.ok((await joined(readRange(file, range, "file"))).equals(wanted), `seed ${seed}`);
  }
});

/** Answers with one part of a content. */
function partOf(content: Buffer, first: number, last: number): RegistryResponse {
  const part = content.subarray(first, last + 1);
  const headers = { "content-range": `bytes ${first}-${first + part.length - 1}/${content.length}` };
  const body = { whole: async () => part, dismiss() {} };
  return {
    status: 206,
    headers,
    body,
    url: new URL("https://r.example/"),
    isElsewhere: false,
  } as unknown as RegistryResponse;
}

test("parts of a blob that several connections bring are joined where they belong", async () => {
  const whole = Buffer.alloc(3 * pieceBytes + 100, body("noise", 1_000_003));
  for (let seed = 0; seed < 40; seed += 1) {
    const random = new Random(seed);
    const sizeBytes = Math.min(
      whole.length,
      random.below(4) * pieceBytes + random.oneOf([0, 1, 2, 100, pieceBytes - 1]),
    );
    const content = whole.subarray(0, sizeBytes);
    const offset = random.oneOf([0, 1, random.below(sizeBytes + 1), sizeBytes]);
    if (offset >= sizeBytes) continue;
    const asked: number[] = [];
    const answer = async (first: number, last: number) => {
      asked.push(first, last);
      for (let turns = random.below(5); turns > 0; turns -= 1) await new Promise(setImmediate);
      return partOf(content, first, last);
    };
    const beginning = partOf(content, offset, offset + pieceBytes - 1);
    const options = { beginning, offset, sizeBytes, mostConnections: 1 + random.below(6), open: answer };
    const rest = await joined(parallelRanges(options, new CallContext(undefined, undefined)));
    assert.ok(rest.equals(content.subarray(offset)), `seed ${seed}`);
    const ends = asked.filter((_, index) => index % 2 === 1).map((last) => last + 1);
    const begins = asked.filter((_, index) => index % 2 === 0);
    assert.deepEqual(begins.slice(1), ends.slice(0, -1), `seed ${seed}: no byte is asked for twice, or never`);
  }
});

test("a download that breaks off anywhere, again and again, goes on with the next byte", async () => {
  const size = 40_000;
  for (let seed = 0; seed < 60; seed += 1) {
    const random = new Random(seed);
    await using one = await oneImage({}, size);
    const faults: readonly (() => Fault)[] = [
      () => closeAfter(random.below(size)),
      () => resetAfter(random.below(size)),
      () => stating({ etag: '"another"' }),
      () => stating({ "content-range": `bytes ${random.below(size)}-${size - 1}/${size}` }),
    ];
    for (let count = 1 + random.below(4); count > 0; count -= 1) one.registry.next(/blobs/, random.oneOf(faults)());
    await using client = puller();
    assert.ok((await blob(client.image(one.name), one.layer)).equals(one.content), `seed ${seed}`);
  }
});
