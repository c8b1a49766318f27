import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { constants, deflateRawSync } from "node:zlib";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { historyBytes } from "../../src/blob/ahead-decoder.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { RingedAheadThread } from "../../src/worker/ahead-thread.ts";
import { AheadThreads } from "../../src/worker/ahead-threads.ts";
import { body } from "../streams/bodies.ts";
import { storedFrame } from "../streams/zstd-frames.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { type AppliedOptions, applied } from "./applied.ts";
import { threads } from "./threads.ts";

/** Several pieces of a MiB, compressed. */
const content = Buffer.concat([body("text", 3_000_000), body("noise", 2_500_000), body("digits", 4_000_000)]);

test("several threads decompress one gzip layer, and the same files come out", async () => {
  await using place = await scratch();
  const archives = [tar(file("a", content)), tar(file("b", content.subarray(2_000_000))), tar(file("c", "1"))];
  const root = await applied(place.directory, { aheadThreads: 3, archives });
  assert.ok((await readFile(join(root, "a"))).equals(content));
  assert.ok((await readFile(join(root, "b"))).equals(content.subarray(2_000_000)));
  assert.equal(await readFile(join(root, "c"), "utf8"), "1");
});

/** One frame or several, which hold bytes as they are. */
function framesOf(archive: Uint8Array, frameBytes: number): Uint8Array {
  const frames: Buffer[] = [];
  for (let start = 0; start < archive.length; start += frameBytes) {
    frames.push(storedFrame(archive.subarray(start, start + frameBytes)));
  }
  return Buffer.concat(frames);
}

/** Applies archives in zstd data of such frames, and tells whether there were threads that decode ahead. */
async function appliesFrames(directory: string, frameBytes: number, options: AppliedOptions): Promise<boolean> {
  let hasThreads = false;
  const root = await applied(directory, {
    aheadThreads: 2,
    archives: [tar(file("a", content))],
    compressed: (archive) => framesOf(archive, frameBytes),
    onReport: ({ type }) => {
      if (type === "layer-finished") hasThreads = threads().some(([name]) => name === "oci-ahead");
    },
    ...options,
  });
  assert.ok((await readFile(join(root, "a"))).equals(content));
  return hasThreads;
}

test("with several threads, the files of a layer of many zstd frames come out, even if its media type says gzip", async () => {
  // Those of 7 MB are more than a ring holds. Whether any is decoded ahead depends on how fast the bytes come.
  for (const frameBytes of [300_000, 7_000_000]) {
    await using place = await scratch();
    await appliesFrames(place.directory, frameBytes, {});
  }
});

test("a zstd layer of one frame starts no thread that decompresses ahead", async () => {
  await using place = await scratch();
  assert.equal(await appliesFrames(place.directory, content.length + 10_000, {}), false);
});

test("a layer of which a frame is damaged is refused, whichever thread finds it", async () => {
  const compressed = (archive: Uint8Array) => {
    const bytes = Buffer.from(framesOf(archive, 300_000));
    bytes.write(
      "no frame",
      1_000_004 + bytes.subarray(1_000_000).indexOf(storedFrame(new Uint8Array(1)).subarray(0, 4)),
    );
    return bytes;
  };
  const refusals: string[] = [];
  for (const aheadThreads of [0, 2]) {
    await using place = await scratch();
    await assert.rejects(
      applied(place.directory, { aheadThreads, archives: [tar(file("a", content))], compressed }),
      (error) => isOciUnpackError(error, "CORRUPT_LAYER") && refusals.push(error.message) > 0,
    );
  }
  assert.equal(refusals[0], refusals[1]);
});

test("a layer that several threads decompress must have its diffID too", async () => {
  const archives = [tar(file("a", content))];
  const diffIDs = [digestOf(Buffer.from("another"))];
  for (const hasDigestThread of [false, true]) {
    await using place = await scratch();
    await assert.rejects(applied(place.directory, { aheadThreads: 2, archives, diffIDs, hasDigestThread }), (error) =>
      isOciUnpackError(error, "DIFF_ID_MISMATCH"),
    );
  }
});

test("a thread decodes the piece that it is given, and says where that begins and ends", async () => {
  await using threads = new AheadThreads(1);
  const [rings] = threads.rings;
  assert.ok(rings);
  threads.start();
  const run = threads.run("prefer", new AbortController().signal);
  await setImmediate(); // this thread waits for it
  const thread = new RingedAheadThread(rings);
  const text = Buffer.from(Array.from({ length: 400_000 }, (_, index) => 97 + ((index * index) % 23)));
  const deflated = deflateRawSync(text, { memLevel: 4, strategy: constants.Z_HUFFMAN_ONLY });
  const half = deflated.length >> 1;
  const parts = [deflated.subarray(half, half + 1000), deflated.subarray(half + 1000, half + 60_000)];
  const limit = 50_000 * 8;
  for (const isTaken of [true, false, true]) {
    assert.ok(thread.isIdle);
    thread.givePiece(parts, limit);
    assert.ok(!thread.isIdle);
    const made = thread.result(true);
    assert.ok(typeof made === "object");
    assert.equal(made.start.kind, "dynamic");
    assert.deepEqual(made.end, { bit: made.endBit, kind: "dynamic" });
    assert.ok(made.start.bit < limit && made.endBit >= limit);
    const tail = Buffer.from(made.tail);
    if (!isTaken) {
      thread.reject();
      continue;
    }
    thread.accept(new Uint8Array(historyBytes));
    const bytes = [...bytesOf(thread)];
    assert.ok(Buffer.concat(bytes).length > 50_000);
    assert.ok(text.includes(Buffer.concat(bytes)));
    assert.ok(Buffer.concat(bytes).subarray(-historyBytes).equals(tail));
  }
  thread.end();
  await run;
});

function* bytesOf(thread: RingedAheadThread): Generator<Buffer, void, undefined> {
  for (let bytes = thread.read(); bytes !== undefined; bytes = thread.read()) yield Buffer.from(bytes);
}
