import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { registrySource } from "../../src/registry/registry.ts";
import { unpack } from "../../src/unpack/unpack.ts";
import { distant } from "../support/distant.ts";
import { image, stored } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { distinctBytes } from "./pulling.ts";

/** Long, so that what a machine takes for everything else does not count as one. */
const firstRoundTripMilliseconds = 800;
const layers = Array.from({ length: 8 }, (_, layer) => tar(file(`blob-${layer}`, distinctBytes(1_000_000, layer + 1))));

const sample = image(layers);

/** Pulls the layers from far away; gives how many round trips it took to their last byte, and what was asked for. */
async function pulled(
  access: { type: "open" } | { type: "token"; realm?: string },
  roundTripMilliseconds: number,
  tag = "latest",
) {
  await using temporary = await scratch();
  await using near = await startRegistry({ access });
  await using far = await distant(near.host, roundTripMilliseconds);
  if (access.type === "token") access.realm = `http://${far.host}/token`; // as far away as the registry
  const name = stored(near, "a/b", sample)
    .replace(near.host, far.host)
    .replace(/latest$/, tag);
  const manifests = [{ ...sample.manifest.descriptor, platform: { os: "linux", architecture: "amd64" } }];
  near.addManifest("a/b", "index", {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests,
  });
  await using source = registrySource();
  let downloaded = 0;
  const start = performance.now();
  await unpack(name, join(temporary.directory, "out"), {
    ...{ platform: "linux/amd64", source },
    onEvent: ({ type }) => {
      if (type === "downloaded") downloaded = performance.now();
    },
  });
  const asked = near.requests.map(({ method, path }) => `${method} ${path.replace(/[?:].*$/, "")}`);
  return { roundTrips: (downloaded - start) / roundTripMilliseconds, asked };
}

/** The same, where it took more again from twice as far: then the protocol counts more, and what keeps a machine busy less. */
async function pulledWithin(most: number, access: "open" | "token", tag?: string) {
  for (let factor = 1; ; factor *= 2) {
    const result = await pulled({ type: access }, firstRoundTripMilliseconds * factor, tag);
    if (result.roundTrips <= most || factor === 8) return result;
  }
}

const content = Array.from({ length: 1 + layers.length }, () => "GET /v2/a/b/blobs/sha256");

test("eight blobs of 1 MB take at most six round trips from the first packet to the last byte", async () => {
  const { roundTrips, asked } = await pulledWithin(6, "open");
  assert.ok(roundTrips > 3, `${roundTrips} round trips: the registry is not far away`);
  assert.ok(roundTrips <= 6, `${roundTrips} round trips`);
  assert.deepEqual(asked, ["GET /v2/a/b/manifests/latest", ...content], "no ping, no HEAD, nothing twice");
});

test("R-10, R-35: a token costs two round trips more, and no ping, no HEAD", async () => {
  const { roundTrips, asked } = await pulledWithin(8, "token");
  assert.ok(roundTrips > 5, `${roundTrips} round trips: the registry is not far away`);
  assert.ok(roundTrips <= 8, `${roundTrips} round trips`);
  const first = ["GET /v2/a/b/manifests/latest", "GET /token", "GET /v2/a/b/manifests/latest"];
  assert.deepEqual(asked, [...first, ...content]);
});

test("R-35, R-36: an index costs one round trip more, and nothing but the manifest that it leads to", async () => {
  const { roundTrips, asked } = await pulledWithin(7, "open", "index");
  assert.ok(roundTrips <= 7, `${roundTrips} round trips`);
  assert.deepEqual(asked, ["GET /v2/a/b/manifests/index", "GET /v2/a/b/manifests/sha256", ...content]);
});
