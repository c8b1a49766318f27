import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { UnpackResult } from "../../src/index.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { image, stored } from "../support/image.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";

test("a store is filled by one unpacking, used by the next, listed, verified and pruned", async () => {
  await using place = await scratch();
  await using registry = await startRegistry();
  const archive = tar(file("a", "b"));
  const app = image([archive]);
  const { layers, manifest } = app;
  const reference = stored(registry, "app", app);
  const env = { OCI_UNPACK_STORE: join(place.directory, "store") };
  const platform = ["-p", "linux/amd64"];
  const unpacked = async (...args: readonly string[]) => {
    const { status, stdout, stderr } = await ociUnpack([...platform, "--json", "-q", ...args], { env });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as UnpackResult;
  };
  assert.equal((await unpacked(reference, join(place.directory, "one"))).downloadedBytes, layers[0]?.descriptor.size);
  await registry[Symbol.asyncDispose]();
  assert.equal((await unpacked("--offline", reference, join(place.directory, "two"))).downloadedBytes, 0);

  const list = await ociUnpack(["store", "list"], { env });
  const digest = manifest.descriptor.digest.slice(0, 19);
  const line = (text: string) => new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d +\\d+ B  ${text}$`, "m");
  assert.match(list.stdout, line(`image   ${reference}  ${digest}`));
  assert.match(list.stdout, line(`index   ${digestOf(archive)}`));
  const verify = await ociUnpack(["store", "verify"], { env });
  assert.deepEqual([verify.status, verify.stdout], [0, "3 blobs, 1 index read, 0 corrupt, 0 missing, 0 damaged\n"]);

  const layer = layers[0]?.descriptor.digest ?? "";
  const blob = join(env.OCI_UNPACK_STORE, "blobs", layer.replace(":", "/"));
  await rm(blob);
  await writeFile(blob, "something else");
  const again = await ociUnpack(["store", "verify"], { env });
  assert.equal(again.status, 1);
  assert.match(
    again.stdout,
    new RegExp(`^corrupt: ${layer}\n3 blobs, 1 index read, 1 corrupt, 0 missing, 0 damaged\n`),
  );

  const prune = await ociUnpack(["store", "prune", "--max-size", "0", "--json"], { env });
  const { removedImages, removedIndexes, keptBytes } = JSON.parse(prune.stdout);
  assert.deepEqual([removedImages, removedIndexes, keptBytes], [[reference], 1, 0]);
  assert.equal((await ociUnpack(["store", "list"], { env })).stdout, "the store is empty\n");
});

test("a store that is not there is one clear error", async () => {
  const { status, stderr } = await ociUnpack(["store", "list", "--store", "/nowhere/at/all"]);
  assert.equal(status, 1);
  assert.match(stderr, /^error: cannot read the store "\/nowhere\/at\/all": there is none\nhint: .*\n$/);
});
