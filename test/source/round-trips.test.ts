import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { registry } from "../../src/source/registry.ts";
import { unpack } from "../../src/unpack.ts";
import { distant } from "../support/distant.ts";
import { image, stored } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { distinctBytes } from "./pulling.ts";

/** Long, so that what a busy machine takes for everything else does not count as one. */
const roundTripMilliseconds = 800;
const layers = Array.from({ length: 8 }, (_, layer) => tar(file(`blob-${layer}`, distinctBytes(1_000_000, layer + 1))));

test("eight blobs of 1 MB take at most six round trips from the first packet to the last byte", async () => {
  await using temporary = await scratch();
  await using near = await startRegistry();
  await using far = await distant(near.host, roundTripMilliseconds);
  const name = stored(near, "a/b", image(layers)).replace(near.host, far.host);
  await using source = registry();
  let downloaded = 0;
  const start = performance.now();
  await unpack(name, join(temporary.directory, "out"), {
    ...{ platform: "linux/amd64", source },
    onEvent: ({ type }) => {
      if (type === "downloaded") downloaded = performance.now();
    },
  });
  const roundTrips = (downloaded - start) / roundTripMilliseconds;
  assert.ok(roundTrips > 3, `${roundTrips} round trips: the registry is not far away`);
  assert.ok(roundTrips <= 6, `${roundTrips} round trips`);
  assert.equal(near.requests.filter(({ method }) => method === "HEAD").length, 0);
  assert.equal(near.requests.length, 1 + 1 + layers.length, "manifest, config, blobs");
});
