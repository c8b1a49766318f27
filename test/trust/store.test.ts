import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  registrySource,
  resolve,
  type Store,
  store,
  storedSource,
  type TrustOptions,
  unpack,
} from "../../src/index.ts";
import { BlobStore } from "../../src/store/blob-store.ts";
import { readNames } from "../../src/store/stored-index.ts";
import { image, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { half } from "../support/thorough.ts";
import { envelopeOf, payloadOf, signer, storeBundle, storeOlderAttestations, storeSimpleSignings } from "./signing.ts";

// What was verified with a store is verified from it alone offline.

const sample = image([tar(file("etc/name", "kept"))]);
const { descriptor } = sample.manifest;
const { digest } = descriptor;
const repository = "some/image";
const platform = "linux/amd64";
const owner = signer();
const stranger = signer();
const provenance = "https://slsa.dev/provenance/v1";
const byOwner: TrustOptions = { keys: [owner.pem] };

interface Stage extends AsyncDisposable {
  readonly registry: RegistryDouble;
  readonly kept: Store;
  readonly name: string;
  /** Unpacks by way of the store. */
  unpacked(trust?: TrustOptions, offline?: boolean): ReturnType<typeof unpack>;
}

async function setStage(): Promise<Stage> {
  const place = await scratch();
  const registry = await startRegistry({ referrersOnPage: 2 });
  const kept = store(join(place.directory, "store"));
  const name = stored(registry, repository, sample);
  let targets = 0;
  return {
    registry,
    kept,
    name,
    async unpacked(trust, offline = false) {
      await using source = storedSource(registrySource({ retries: 0 }), kept, { offline });
      targets += 1;
      const options = trust === undefined ? { source, platform } : { source, platform, trust };
      return await unpack(name, join(place.directory, `target-${targets}`), options);
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** How a signature or attestation is stored, and what demands it. */
const forms: Readonly<Record<string, readonly [sign: (registry: RegistryDouble) => void, demanded: TrustOptions]>> = {
  "a simple signing": [
    (registry) => storeSimpleSignings(registry, repository, digest, [{ payload: payloadOf(digest), by: owner }]),
    byOwner,
  ],
  "a bundle": [(registry) => storeBundle(registry, repository, descriptor, owner), byOwner],
  "an attestation in a bundle": [
    (registry) => storeBundle(registry, repository, descriptor, owner, { predicateType: provenance }),
    { ...byOwner, attestations: [provenance] },
  ],
  "an attestation under the older tag": [
    (registry) => {
      const envelope = envelopeOf(digest, owner, { predicateType: provenance });
      storeOlderAttestations(registry, repository, digest, [envelope]);
    },
    { ...byOwner, attestations: [provenance] },
  ],
};

describe("V21: with a store and offline, nobody is asked", () => {
  for (const [what, [sign, demanded]] of half(Object.entries(forms))) {
    test(`${what} that was verified before is verified again`, async () => {
      await using stage = await setStage();
      sign(stage.registry);
      const { verified } = await stage.unpacked(demanded);
      const before = stage.registry.requests.length;
      assert.deepEqual((await stage.unpacked(demanded, true)).verified, verified);
      const others = { ...demanded, keys: [stranger.pem] };
      await assert.rejects(stage.unpacked(others, true), { code: "SIGNATURE_INVALID" });
      assert.equal(stage.registry.requests.length, before);
    });

    test(`${what} that nobody verified before is missing`, async () => {
      await using stage = await setStage();
      sign(stage.registry);
      await stage.unpacked();
      await assert.rejects(stage.unpacked(demanded, true), {
        code: demanded.attestations === undefined ? "SIGNATURE_MISSING" : "ATTESTATION_MISSING",
        message: /there is none in the store$/,
        hint: "demand the same once without `offline`: then the store keeps it",
      });
    });

    test(`${what} is no image of the store, and stays as long as its image does`, async () => {
      await using stage = await setStage();
      sign(stage.registry);
      await stage.unpacked(demanded);
      assert.deepEqual(
        (await stage.kept.list()).flatMap(({ kind, name }) => (kind === "image" ? [name] : [])),
        [stage.name],
      );
      assert.deepEqual((await stage.kept.verify()).missing, []);
      assert.deepEqual((await stage.kept.prune()).removedImages, []);
      assert.equal((await stage.unpacked(demanded, true)).verified?.length, 1);
      await stage.kept.prune({ maxBytes: 0 });
      assert.equal((await stage.kept.verify()).blobs, 0);
    });
  }

  test("of several signatures only those are there that were looked at", async () => {
    await using stage = await setStage();
    const first = { payload: payloadOf(digest), by: owner };
    const other = { payload: { ...payloadOf(digest), optional: { by: "another" } }, by: stranger };
    storeSimpleSignings(stage.registry, repository, digest, [first, other]);
    await stage.unpacked(byOwner);
    await assert.rejects(stage.unpacked({ keys: [stranger.pem] }, true), {
      code: "SIGNATURE_MISSING",
      message: /^cannot read the signature sha256:\w+ of "[^"]*" offline: the store "[^"]*" does not have it$/,
    });
  });
});

test("an image whose bundle was stored, and not its layers, is not complete", async () => {
  await using stage = await setStage();
  const config = { ...stage.registry.addBlob("{}", "application/vnd.oci.empty.v1+json"), data: "e30=" };
  storeBundle(stage.registry, repository, descriptor, owner, { manifest: { config } });
  await using source = storedSource(registrySource({ retries: 0 }), stage.kept);
  await resolve(stage.name, { source, platform, trust: byOwner });
  const named = await readNames(new BlobStore(stage.kept.directory));
  assert.ok(named.every(({ name }) => name !== stage.name));
});
