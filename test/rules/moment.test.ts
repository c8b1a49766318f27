import assert from "node:assert/strict";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { unpack } from "../../src/index.ts";
import { eventually } from "../support/eventually.ts";
import { image, stored } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { type Fault, hangAfter } from "../support/registry-reply.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";

const MiB = 1024 * 1024;

for (const threads of [1, 4])
  test(`M20: until a set-user-ID program is complete it is none, and nobody else can reach it, with ${threads} threads`, () =>
    assertNothingBefore(threads));

async function assertNothingBefore(threads: number): Promise<void> {
  await using place = await scratch();
  await using registry = await startRegistry();
  const program = image([tar(file("su", new Uint8Array(16 * MiB).fill(1), { mode: 0o4755 }))], { encoding: "plain" });
  const reference = stored(registry, "some/image", program);
  const breaksOff: Fault = (reply, request) => (reply.body.length < MiB ? reply : hangAfter(12 * MiB)(reply, request));
  registry.always(/\/blobs\//, breaksOff);
  const target = join(place.directory, "target");
  const controller = new AbortController();

  const unpacking = unpack(reference, target, { platform: "linux/amd64", threads, signal: controller.signal });
  const found = await partOf(target, "su");
  controller.abort();
  await assert.rejects(unpacking);

  assert.ok(found.size > 0 && found.size < 16 * MiB, `${found.size} bytes`);
  assert.equal(found.mode & 0o7000, 0, "its special bits come last");
  assert.equal(found.stagingMode & 0o7777, 0o700, "nobody else can reach it meanwhile");
  assert.deepEqual(await readdir(target).catch(() => []), [], "nothing is left");
}

interface Part {
  readonly size: number;
  readonly mode: number;
  readonly stagingMode: number;
}

/** A file of the staging directory, once some of it is there. */
async function partOf(target: string, name: string): Promise<Part> {
  let part: Part | undefined;
  await eventually(
    async () => {
      for (const staging of await readdir(target).catch(() => [])) {
        const found = await stat(join(target, staging, name)).catch(() => undefined);
        if (found === undefined || found.size === 0) continue;
        part = { size: found.size, mode: found.mode, stagingMode: (await stat(join(target, staging))).mode };
      }
      return part !== undefined;
    },
    () => `${name} never appeared`,
  );
  return part ?? assert.fail();
}
