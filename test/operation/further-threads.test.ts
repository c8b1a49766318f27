import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { unpack } from "../../src/index.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { furtherThreads } from "../../src/operation/further-threads.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";

const none = {
  hasDigestThread: false,
  hasBlobDigestThread: false,
  aheadThreads: 0,
  startsAheadThreads: false,
  contentThreads: 0,
};
const MB = 1_000_000;

/** Layers of those sizes. */
function layersOf(...sizes: readonly number[]): Parameters<typeof furtherThreads>[1] {
  return sizes.map((compressedBytes, number) => {
    return { number, compression: "gzip", compressedBytes, diffID: digestOf(new Uint8Array()) };
  });
}

test("no thread but two is for small layers, however many processors there are", () => {
  const settings = { processors: 64, isDivisionStated: false };
  assert.deepEqual(furtherThreads(settings, layersOf(10 * MB, 20 * MB)), none);
  // Many small ones make files enough, and are too short to be read ahead.
  const many = furtherThreads(settings, layersOf(20 * MB, 20 * MB));
  assert.deepEqual(many, { ...none, hasDigestThread: true, contentThreads: 3 });
  const large = furtherThreads(settings, layersOf(50 * MB));
  assert.deepEqual(large, {
    ...none,
    hasDigestThread: true,
    aheadThreads: 4,
    startsAheadThreads: true,
    contentThreads: 3,
  });
  assert.deepEqual(furtherThreads({ ...settings, processors: 1 }, layersOf(50 * MB)), {
    ...none,
    startsAheadThreads: true,
  });
});

test("an image with small layers starts two threads, also on a machine with many processors", async () => {
  await using place = await scratch();
  const layout = join(place.directory, "layout");
  const target = join(place.directory, "target");
  await mkdir(layout);
  const small = image([tar(file("a", "1")), tar(file("b", "2".repeat(500_000)))]);
  await writeImageLayout(layout, [{ tag: "1", images: [small] }]);
  const begun: Worker[] = [];
  const note = (worker: Worker) => void begun.push(worker);
  const { availableParallelism } = os;
  os.availableParallelism = () => 64;
  syncBuiltinESMExports();
  process.on("worker", note);
  try {
    await unpack(`oci:${layout}:1`, target, { sandbox: "off" });
  } finally {
    process.off("worker", note);
    os.availableParallelism = availableParallelism;
    syncBuiltinESMExports();
  }
  assert.equal(begun.length, 2);
  assert.deepEqual((await readdir(target, { recursive: true })).sort(), [
    "config.json",
    "rootfs",
    "rootfs/a",
    "rootfs/b",
  ]);
});
