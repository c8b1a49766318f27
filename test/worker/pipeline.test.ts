import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { chmod, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { defaultLimits } from "../../src/base/limits.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { ApplyJob } from "../../src/unpack/apply-job.ts";
import { Pipeline } from "../../src/worker/pipeline.ts";
import { Progress } from "../../src/worker/progress.ts";
import type { SharedRing } from "../../src/worker/ring.ts";
import type { waitsOf } from "../../src/worker/ring-waits.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { applied, usualArchives as archives, settings } from "./applied.ts";
import { threads } from "./threads.ts";

for (const hasDigestThread of [false, true]) {
  const where = hasDigestThread ? "on a thread of its own" : "while decompressing";

  test(`layers whose diffIDs are verified ${where} become files`, async () => {
    await using place = await scratch();
    const root = await applied(place.directory, { hasDigestThread });
    assert.equal(await readFile(join(root, "a"), "utf8"), "1");
    assert.equal((await readFile(join(root, "d/b"))).length, 6_000_000);
  });

  test(`R-63: a wrong diffID is found ${where}, in whichever layer it is`, { timeout: 120_000 }, async () => {
    const right = archives.map((archive) => digestOf(archive));
    const wrong = digestOf(Buffer.from("something else"));
    for (const layer of archives.keys()) {
      await using place = await scratch();
      await assert.rejects(applied(place.directory, { hasDigestThread, diffIDs: right.with(layer, wrong) }), {
        code: "DIFF_ID_MISMATCH",
        message: new RegExp(`^layer ${layer + 1}: `),
      });
    }
  });
}

for (const isMerged of [false, true]) {
  const who = isMerged ? "the thread that merges" : "a thread of its own";
  test(`nothing of an index that ${who} makes is written any more when a run has failed`, async () => {
    await using place = await scratch();
    let [begun, writing] = [0, 0];
    const indexes = {
      layers: [0],
      async write() {
        begun += 1;
        writing += 1;
        await sleep(500);
        writing -= 1;
      },
      reject() {},
      async end() {},
    };
    const diffIDs = archives.map((archive) => digestOf(archive)).with(1, digestOf(Buffer.from("something else")));
    await assert.rejects(applied(place.directory, { hasDigestThread: !isMerged, isMerged, indexes, diffIDs }), {
      code: "DIFF_ID_MISMATCH",
    });
    assert.deepEqual([begun, writing], [1, 0]);
  });

  test(`an error of whoever takes an index that ${who} makes ends the run`, async () => {
    await using place = await scratch();
    const write = () => Promise.reject(new Error("no room"));
    const indexes = { layers: [0, 1], write, reject() {}, async end() {} };
    await assert.rejects(applied(place.directory, { isMerged, indexes }), { message: "no room" });
  });
}

test("directories have the mode that they should, although the place of the staging directory is set-group-ID", async () => {
  await using place = await scratch();
  const root = await applied(place.directory, { before: (staging) => chmod(staging, 0o2755) });
  assert.equal((await stat(join(root, "d"))).mode & 0o7777, 0o755);
});

test("a run tells at its end how the threads waited for each other", async () => {
  await using place = await scratch();
  const told: unknown[] = [];
  const listener = (message: unknown) => told.push(message);
  subscribe("oci-unpack:rings", listener);
  try {
    await applied(place.directory, { hasDigestThread: true });
  } finally {
    unsubscribe("oci-unpack:rings", listener);
  }
  assert.equal(told.length, 1);
  const [{ compressed, archives: archiveRing }] = told as [
    Record<"compressed" | "archives", ReturnType<typeof waitsOf>>,
  ];
  assert.equal(compressed.readers.length, 1);
  assert.equal(archiveRing.readers.length, 2);
  const waits = [compressed, archiveRing].flatMap(({ writer, readers }) => [writer, ...readers]);
  for (const { count, milliseconds } of waits) assert.equal(count > 0, milliseconds > 0);
});

test("the working threads have names of their own", { timeout: 120_000 }, async () => {
  await using pipeline = new Pipeline(defaultLimits);
  const awaited = ["oci-apply", "oci-decompress"];
  let found: string[] = [];
  while (found.length < awaited.length) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    found = threads()
      .map(([name]) => name)
      .sort();
  }
  assert.deepEqual(found, awaited);
  assert.ok(pipeline);
});

test("what a thread makes of what comes after another one failed is not the error", { timeout: 120_000 }, async () => {
  await using place = await scratch();
  await using pipeline = new Pipeline(defaultLimits);
  const archive = tar(file("../out", "1"), file("large", randomBytes(1_000_000)));
  const bytes = gzipSync(archive);
  let prove = () => {};
  const isProving = new Promise<void>((resolve) => {
    prove = resolve;
  });
  let proofs = 0;
  const progress = Progress.forLayers(1);
  const shared = { sandbox: "prefer", settings } as const;
  const job = {
    ...shared,
    layers: [{ number: 0, compression: "gzip", compressedBytes: bytes.length, diffID: digestOf(archive) }] as const,
    async *open(_: number, signal: AbortSignal) {
      yield bytes.subarray(0, 500_000);
      await isProving;
      yield Buffer.alloc(500_000, 255); // as memory is that was used again
      await sleep(2 ** 30, undefined, { signal });
    },
    async prove() {
      proofs += 1;
      prove();
      if (proofs === 1) await sleep(300);
    },
    hasDigestThread: false,
    progress,
    onReport() {},
    consume: (input: SharedRing): ApplyJob => ({
      type: "apply",
      input,
      progress: progress.shared,
      layers: 1,
      staging: place.directory,
      ...shared,
    }),
  };
  await assert.rejects(pipeline.run(job, new AbortController().signal), { code: "ENTRY_REFUSED" });
  assert.equal(proofs, 1);
});
