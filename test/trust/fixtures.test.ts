import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { defaultLimits } from "../../src/base/limits.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { localSource } from "../../src/source/local/local-source.ts";
import { readTrust } from "../../src/trust/read-trust.ts";
import { insistOnTrust } from "../../src/trust/trust.ts";
import { repositoryFile } from "../support/repository.ts";

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

async function verdict(name: string, key: string): Promise<string> {
  await using source = localSource();
  const image = source.image(`dir:${join(fixtures, name)}`);
  const manifest = await readFile(join(fixtures, name, "manifest.json")).catch(() => Buffer.from("{}"));
  const trust = { keys: [join(fixtures, key)] };
  const signed = { reference: image.name, digest: digestOf(manifest) };
  try {
    await insistOnTrust(signed, await readTrust(trust), { source: image, limits: defaultLimits });
    return "verified";
  } catch (error) {
    if (isOciUnpackError(error)) return error.code;
    throw error;
  }
}
