import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { defaultLimits } from "../../src/base/limits.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { localSource } from "../../src/source/local/local-source.ts";
import type { TrustOptions } from "../../src/trust/options.ts";
import { readTrust } from "../../src/trust/read-trust.ts";
import { insistOnTrust } from "../../src/trust/trust.ts";
import { repositoryFile } from "../support/repository.ts";
import { scratch } from "../support/scratch.ts";

// Signed images in the form of directories, whose verdicts podman's libraries state. They have no layers.

const fixtures = fileURLToPath(repositoryFile("../shared/fixtures/trust/container-libs"));
const skip = !existsSync(fixtures) && "no ../shared/fixtures";

const verdicts: Readonly<Record<string, readonly [key: string, verdict: string]>> = {
  "dir-img-cosign-valid": ["cosign.pub", "verified"],
  "dir-img-cosign-valid-2": ["cosign.pub", "verified"],
  "dir-img-cosign-valid-with-tag": ["cosign.pub", "verified"],
  "dir-img-cosign-mixed": ["cosign.pub", "verified"],
  "dir-img-cosign-key-rekor-valid": ["cosign2.pub", "verified"],
  "dir-img-cosign-modified-manifest": ["cosign.pub", "SIGNATURE_INVALID"],
  "dir-img-cosign-manifest-digest-error": ["cosign.pub", "SIGNATURE_INVALID"],
  "dir-img-cosign-fulcio-rekor-valid": ["cosign.pub", "SIGNATURE_INVALID"],
  "dir-img-cosign-pki-valid": ["cosign.pub", "SIGNATURE_INVALID"],
  "dir-img-cosign-other-attachment": ["cosign.pub", "SIGNATURE_MISSING"],
  "dir-img-cosign-no-manifest": ["cosign.pub", "NOT_FOUND"],
  "dir-img-unsigned": ["cosign.pub", "SIGNATURE_MISSING"],
};

describe("images that podman's libraries judge have the same verdict", { skip }, () => {
  for (const [name, [key, expected]] of Object.entries(verdicts)) {
    test(`${name}: ${expected}`, async () => {
      assert.equal(await verdict(name, key), expected);
      const other = key === "cosign.pub" ? "cosign2.pub" : "cosign.pub";
      if (expected === "verified") assert.equal(await verdict(name, other), "SIGNATURE_INVALID");
    });
  }
});

describe("with podman's Fulcio and Rekor they have the same verdict too", { skip }, () => {
  const own = { identity: "mitr@redhat.com", issuer: "https://github.com/login/oauth" };
  const others = [
    { ...own, identity: "mitr@redhat.co" },
    { ...own, issuer: "https://accounts.google.com" },
  ];

  test("a certificate's signature", async () => {
    await using place = await scratch();
    const trustedRoot = await rootFile(place.directory);
    const name = "dir-img-cosign-fulcio-rekor-valid";
    assert.equal(await verdictUnder(name, { identities: [own], trustedRoot }), "verified");
    assert.equal(await verdictUnder(name, { identities: others, trustedRoot }), "IDENTITY_MISMATCH");
    assert.equal(await verdictUnder(name, { identities: [...others, own], trustedRoot }), "verified");
    for (const other of ["dir-img-cosign-valid", "dir-img-cosign-key-rekor-valid"]) {
      assert.equal(await verdictUnder(other, { identities: [own], trustedRoot }), "SIGNATURE_INVALID");
    }
    assert.equal(await verdictUnder("dir-img-unsigned", { identities: [own], trustedRoot }), "SIGNATURE_MISSING");
  });

  test("the public instance's trusted root has that authority and log as well", async () => {
    assert.equal(await verdictUnder("dir-img-cosign-fulcio-rekor-valid", { identities: [own] }), "verified");
  });

  test("a key's signature, which has to be in the log then", async () => {
    await using place = await scratch();
    const trustedRoot = await rootFile(place.directory);
    const keys = ["cosign.pub", "cosign2.pub"].map((key) => join(fixtures, key));
    assert.equal(await verdictUnder("dir-img-cosign-key-rekor-valid", { keys, trustedRoot }), "verified");
    assert.equal(await verdictUnder("dir-img-cosign-valid", { keys, trustedRoot }), "SIGNATURE_INVALID");
    assert.equal(await verdictUnder("dir-img-cosign-valid", { keys }), "verified");
  });

  test("a key and an identity are two demands", async () => {
    await using place = await scratch();
    const trustedRoot = await rootFile(place.directory);
    const trust = { keys: [join(fixtures, "cosign2.pub")], identities: [own], trustedRoot };
    for (const name of ["dir-img-cosign-key-rekor-valid", "dir-img-cosign-fulcio-rekor-valid"]) {
      assert.equal(await verdictUnder(name, trust), "SIGNATURE_INVALID");
    }
  });
});

/** A trusted root with the certificate and the log's key that lie beside the images. */
async function rootFile(directory: string): Promise<string> {
  const pem = async (name: string) => (await readFile(join(fixtures, name), "utf8")).replace(/-----.*|\n/g, "");
  const rekor = await pem("rekor.pub");
  const validFor = { start: "2020-01-01T00:00:00Z" };
  const keyId = createHash("sha256").update(Buffer.from(rekor, "base64")).digest("base64");
  const document = {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [
      {
        baseUrl: "https://rekor.sigstore.dev",
        publicKey: { rawBytes: rekor, keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor },
        logId: { keyId },
      },
    ],
    certificateAuthorities: [{ certChain: { certificates: [{ rawBytes: await pem("fulcio_v1.crt.pem") }] }, validFor }],
  };
  const path = join(directory, "trusted_root.json");
  await writeFile(path, JSON.stringify(document));
  return path;
}

const verdict = (name: string, key: string) => verdictUnder(name, { keys: [join(fixtures, key)] });

async function verdictUnder(name: string, trust: TrustOptions): Promise<string> {
  await using source = localSource();
  const image = source.image(`dir:${join(fixtures, name)}`);
  const manifest = await readFile(join(fixtures, name, "manifest.json")).catch(() => Buffer.from("{}"));
  const signed = { reference: image.name, digest: digestOf(manifest) };
  try {
    await insistOnTrust(signed, await readTrust(trust), { source: image, limits: defaultLimits });
    return "verified";
  } catch (error) {
    if (isOciUnpackError(error)) return error.code;
    throw error;
  }
}
