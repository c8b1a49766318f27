import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultLimits } from "../../src/base/limits.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { ApplyJob } from "../../src/unpack/apply-job.ts";
import { Pipeline } from "../../src/worker/pipeline.ts";
import type { PipelineJob } from "../../src/worker/pipeline-run.ts";
import { Progress } from "../../src/worker/progress.ts";
import type { SharedRing } from "../../src/worker/ring.ts";
import { AsyncRingWriter, createRing } from "../../src/worker/ring.ts";
import { footprint } from "../support/footprint.ts";
import { skipWithoutLandlock } from "../support/sandbox.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, tar } from "../support/tar-builder.ts";
import { settings } from "./applied.ts";
import { threads } from "./threads.ts";

/** Beneath a directory that its own mode closes to its owner. */
const archive = tar(directory("closed", { mode: 0 }), file("closed/a", "1"), file("b", "2".repeat(100_000)));

/**
 * Threads of which the second one is busy with something that it cannot be called away from: it waits for a ring that
 * nobody cancels, with a file half written.
 */
async function stuck(pipeline: Pipeline, staging: string): Promise<void> {
  await mkdir(staging);
  const ring = createRing(1024 * 1024, 1);
  await new AsyncRingWriter(ring).write(archive.subarray(0, 50_000));
  const progress = Progress.forLayers(1).shared;
  const job = { type: "apply", input: ring, progress, layers: 1, staging, sandbox: "require", settings } as const;
  const stop = new AbortController();
  const running = run(pipeline, stop.signal, () => job);
  running.catch(() => {});
  while (!(await readdir(staging)).includes("b")) await sleep(5);
  stop.abort(new Error("that is enough"));
  await assert.rejects(running, { message: "that is enough" });
}

function run(pipeline: Pipeline, signal: AbortSignal, consume: PipelineJob["consume"], bytes = archive): Promise<void> {
  const layers = [{ number: 0, compression: undefined, compressedBytes: 1, diffID: digestOf(bytes) }];
  const common = {
    sandbox: "require",
    settings,
    hasDigestThread: false,
    onReport() {},
    async prove() {},
  } as const;
  async function* open() {
    yield bytes;
  }
  return pipeline.run({ layers, open, progress: Progress.forLayers(1), consume, ...common }, signal);
}

test("a thread that does not answer an abort is ended, with all that it had open", { timeout: 120_000 }, async () => {
  await using place = await scratch();
  const before = footprint().descriptors;
  {
    await using pipeline = new Pipeline(defaultLimits);
    await stuck(pipeline, join(place.directory, "staging"));
    // The other one goes on, unless it, too, got no time to answer.
    assert.ok(!threads().some(([name]) => name === "oci-apply"));
    assert.deepEqual(
      footprint().descriptors.filter((line) => line.includes(place.directory)),
      [],
    );
  }
  assert.deepEqual(threads(), []);
  assert.deepEqual(footprint().descriptors, before);
});

test("a thread that is ended while it opens and closes files leaves none open", { timeout: 120_000 }, async () => {
  await using place = await scratch();
  const files = tar(...Array.from({ length: 5000 }, (_, number) => file(`d${number % 50}/f${number}`, "1")));
  const before = footprint().descriptors;
  for (let round = 0; round < 12; round += 1) {
    const staging = join(place.directory, `${round}`);
    await mkdir(staging);
    const progress = Progress.forLayers(1);
    const common = { progress: progress.shared, layers: 1, staging, sandbox: "require", settings } as const;
    const pipeline = new Pipeline(defaultLimits);
    const signal = new AbortController().signal;
    const running = run(pipeline, signal, (input) => ({ type: "apply", input, ...common }), files);
    running.catch(() => {});
    while (progress.entries(0) < round * 10) await new Promise(setImmediate);
    await pipeline[Symbol.asyncDispose]();
    await running.catch(() => {});
  }
  assert.deepEqual(footprint().descriptors, before);
});

test("what a thread made that was ended is removed from another one, which confines itself", {
  skip: skipWithoutLandlock(),
  timeout: 120_000,
}, async () => {
  await using place = await scratch();
  await using pipeline = new Pipeline(defaultLimits);
  const staging = join(place.directory, "staging");
  await stuck(pipeline, staging);
  assert.notDeepEqual(await readdir(staging), []);
  await pipeline.discard(staging, "require");
  assert.deepEqual(await readdir(staging), []);
  assert.equal(new Map(threads()).get("oci-apply"), "1");
});

test("threads of which one had to be ended can be used again", { timeout: 120_000 }, async () => {
  await using place = await scratch();
  await using pipeline = new Pipeline(defaultLimits);
  await stuck(pipeline, join(place.directory, "one"));
  const staging = join(place.directory, "another");
  await mkdir(staging);
  const progress = Progress.forLayers(1).shared;
  const common = { progress, layers: 1, staging, sandbox: "require", settings } as const;
  const job = (input: SharedRing): ApplyJob => ({ type: "apply", input, ...common });
  await run(pipeline, new AbortController().signal, job);
  assert.deepEqual((await readdir(staging)).sort(), ["b", "closed"]);
});
