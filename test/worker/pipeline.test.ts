import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { defaultLimits } from "../../src/limits.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { Pipeline } from "../../src/worker/pipeline.ts";
import { Progress } from "../../src/worker/progress.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";

const archives = [tar(file("a", "1")), tar(file("b", "2".repeat(3_000_000)))];

/** Applies the archives and gives the directory that they were applied to. */
async function applied(
  directory: string,
  hasDigestThread: boolean,
  diffIDs: readonly Digest[] = archives.map((archive) => digestOf(archive)),
): Promise<string> {
  const staging = join(directory, "staging");
  await mkdir(staging);
  await using pipeline = new Pipeline();
  await pipeline.run(
    {
      layers: diffIDs.map((diffID) => ({ compression: "gzip", diffID })),
      async *open(layer) {
        yield gzipSync(archives[layer] ?? new Uint8Array());
      },
      progress: Progress.forLayers(archives.length),
      hasDigestThread,
      staging,
      sandbox: "require",
      settings: {
        devices: "skip",
        keepDirlinks: false,
        sourceDateEpoch: 0,
        strict: false,
        limits: defaultLimits,
      },
      onReport: () => {},
    },
    new AbortController().signal,
  );
  return staging;
}

for (const hasDigestThread of [false, true]) {
  const where = hasDigestThread ? "on a thread of its own" : "while decompressing";

  test(`layers whose diffIDs are verified ${where} become files`, async () => {
    await using place = await scratch();
    const root = await applied(place.directory, hasDigestThread);
    assert.equal(await readFile(join(root, "a"), "utf8"), "1");
    assert.equal((await readFile(join(root, "b"))).length, 3_000_000);
  });

  test(`a wrong diffID is found ${where}, in whichever layer it is`, { timeout: 20_000 }, async () => {
    const right = archives.map((archive) => digestOf(archive));
    const wrong = digestOf(Buffer.from("something else"));
    for (const layer of archives.keys()) {
      await using place = await scratch();
      await assert.rejects(applied(place.directory, hasDigestThread, right.with(layer, wrong)), {
        code: "DIFF_ID_MISMATCH",
        message: new RegExp(`^layer ${layer + 1}: `),
      });
    }
  });
}
