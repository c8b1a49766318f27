import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { resolve } from "../../src/look/resolve.ts";
import { image, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { file, tar } from "../support/tar-builder.ts";
import {
  envelopeOf,
  payloadOf,
  type Signer,
  signer,
  storeBundle,
  storeOlderAttestations,
  storeSimpleSignings,
} from "./signing.ts";

const sample = image([tar(file("etc/name", "attested"))]);
const { descriptor } = sample.manifest;
const { digest } = descriptor;
const repository = "some/image";
const owner = signer();
const stranger = signer();
const provenance = "https://slsa.dev/provenance/v1";
const materials = "https://spdx.dev/Document";

/** Says how attestations are stored, and attests. */
type Attest = (registry: RegistryDouble, predicateType: string, by?: Signer, about?: string) => void;

const stores: Readonly<Record<string, Attest>> = {
  "in a bundle": (registry, predicateType, by = owner, about = digest) => {
    const predicate = { of: predicateType };
    const statement = {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ digest: { sha256: about.replace("sha256:", "") } }],
      predicateType,
      predicate,
    };
    storeBundle(registry, repository, descriptor, by, { statement });
  },
  "under the older tag": (registry, predicateType, by = owner, about = digest) => {
    const envelope = envelopeOf(about, by, { predicateType, predicate: { of: predicateType } });
    storeOlderAttestations(registry, repository, digest, [envelope]);
  },
};

async function resolved(registry: RegistryDouble, ...attestations: readonly string[]) {
  const name = stored(registry, repository, sample);
  const { verified = [] } = await resolve(name, {
    platform: "linux/amd64",
    trust: { keys: [owner.pem], attestations },
  });
  return verified;
}

async function failure(resolving: Promise<unknown>): Promise<readonly [code: string, ...reasons: string[]]> {
  try {
    await resolving;
  } catch (error) {
    if (isOciUnpackError(error)) return [error.code, ...(error.details.signatures ?? []).map(({ reason }) => reason)];
    throw error;
  }
  throw new Error("it was trusted");
}

for (const [where, attest] of Object.entries(stores)) {
  describe(`an attestation ${where}`, () => {
    test("is in the result with what it states, and no other signature is demanded", async () => {
      await using registry = await startRegistry({ referrersOnPage: 2 });
      attest(registry, provenance);
      const [found, ...others] = await resolved(registry, provenance);
      assert.deepEqual(others, []);
      assert.deepEqual(found?.predicateTypes, [provenance]);
      assert.deepEqual(found?.predicates, [{ of: provenance }]);
      assert.match(found?.key ?? "", /^sha256:/);
    });

    test("V5: the type that is demanded is among those that were verified", async () => {
      await using registry = await startRegistry({ referrersOnPage: 2 });
      attest(registry, materials);
      assert.deepEqual(await failure(resolved(registry, provenance)), [
        "ATTESTATION_MISSING",
        `it attests "${materials}"`,
      ]);
    });

    test("V5: one of the right type by another key does not count", async () => {
      await using registry = await startRegistry({ referrersOnPage: 2 });
      attest(registry, provenance, stranger);
      assert.deepEqual(await failure(resolved(registry, provenance)), ["SIGNATURE_INVALID", "another key made it"]);
    });

    test("V2: it is about exactly this image", async () => {
      await using registry = await startRegistry({ referrersOnPage: 2 });
      attest(registry, provenance, owner, `sha256:${"1".repeat(64)}`);
      const [code, reason] = await failure(resolved(registry, provenance));
      assert.deepEqual([code, reason], ["SIGNATURE_INVALID", "its statement is about something else"]);
    });

    test("V9: every type that is demanded is there, and one of two is not enough", async () => {
      await using registry = await startRegistry({ referrersOnPage: 2 });
      attest(registry, provenance);
      assert.equal((await failure(resolved(registry, provenance, materials)))[0], "ATTESTATION_MISSING");
      const both = await startRegistry({ referrersOnPage: 2 });
      try {
        attest(both, provenance);
        storeBundle(both, repository, descriptor, owner, { predicateType: materials });
        const types = (await resolved(both, materials, provenance)).flatMap(
          ({ predicateTypes = [] }) => predicateTypes,
        );
        assert.deepEqual(types, [materials, provenance]);
      } finally {
        await both[Symbol.asyncDispose]();
      }
    });
  });
}

test("V6: a signature is no attestation", async () => {
  await using registry = await startRegistry({ referrersOnPage: 2 });
  storeSimpleSignings(registry, repository, digest, [{ payload: payloadOf(digest), by: owner }]);
  storeBundle(registry, repository, descriptor, owner);
  assert.deepEqual(await failure(resolved(registry, provenance)), [
    "ATTESTATION_MISSING",
    'it attests "https://sigstore.dev/cosign/sign/v1"',
  ]);
  assert.ok(!registry.requests.some(({ path }) => path.endsWith(".sig")), "simple signings are not asked for");
});

test("V6: an attestation under the older tag is not asked for where a signature is demanded", async () => {
  await using registry = await startRegistry({ referrersOnPage: 2 });
  storeOlderAttestations(registry, repository, digest, [envelopeOf(digest, owner)]);
  assert.deepEqual(await failure(resolved(registry)), ["SIGNATURE_MISSING"]);
  assert.ok(!registry.requests.some(({ path }) => path.endsWith(".att")));
});

test("where nobody is named who attests, that is told before anybody is asked", async () => {
  await using registry = await startRegistry({ referrersOnPage: 2 });
  const name = stored(registry, repository, sample);
  await assert.rejects(resolve(name, { trust: { attestations: [provenance] } }), {
    code: "INVALID_OPTION",
    message: /nobody is named who attests/,
  });
  assert.deepEqual(registry.requests, []);
});
