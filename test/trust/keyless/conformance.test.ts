import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { digestOf } from "../../../src/oci/digest.ts";
import { JsonValue } from "../../../src/oci/json-value.ts";
import { envelopeFrom, signedBytes } from "../../../src/trust/envelope.ts";
import { identityMatch, signerOf } from "../../../src/trust/keyless/identity.ts";
import { materialOf } from "../../../src/trust/keyless/material.ts";
import { readTrustedRoot } from "../../../src/trust/keyless/trusted-root.ts";
import { type Signed, verifyCertified, verifyLogged } from "../../../src/trust/keyless/verify.ts";
import { verificationKey } from "../../../src/trust/verification-key.ts";
import { repositoryFile } from "../../support/repository.ts";

// The bundles of sigstore-conformance. Most are about files, not about images: they are verified one level below the signatures
// of images. What each is, and whether it has to fail, stands in its name and in the file README beside it.

const suite = fileURLToPath(repositoryFile("../shared/fixtures/trust/sigstore-conformance/bundle-verify"));
const skip = !existsSync(suite) && "no ../shared/fixtures";

const usualIdentity =
  "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const usualIssuer = "https://token.actions.githubusercontent.com";

describe("V10 to V17: each bundle of sigstore-conformance has the verdict that its name states", { skip }, () => {
  const names = skip ? [] : readdirSync(suite).filter((name) => existsSync(join(suite, name, "bundle.sigstore.json")));
  test("the suite is there", () => assert.ok(names.length >= 70));
  for (const name of names) {
    test(name, async () => {
      if (name.endsWith("_fail")) await assert.rejects(verified(name));
      else await verified(name);
    });
  }
});

async function verified(name: string): Promise<void> {
  const file = (part: string) => join(suite, name, part);
  const textOf = (part: string) => (existsSync(file(part)) ? readFileSync(file(part), "utf8").trim() : undefined);
  const bundle = readFileSync(file("bundle.sigstore.json"));
  const artifact = readFileSync(existsSync(file("artifact")) ? file("artifact") : join(suite, "a.txt"));
  const root = await readTrustedRoot(existsSync(file("trusted_root.json")) ? file("trusted_root.json") : undefined);
  const signed = signedIn(bundle, artifact);
  const subject = digestOf(artifact);
  const material = materialOf({ format: "bundle", bundle, subject, digest: subject });
  const pem = textOf("key.pub");
  if (pem !== undefined) {
    const { key } = verificationKey(pem, "key.pub");
    verifyLogged(signed, key, material, root);
    return;
  }
  const demanded = { identity: textOf("identity") ?? usualIdentity, issuer: textOf("issuer") ?? usualIssuer };
  signerOf(verifyCertified(signed, material, root).certificate, [identityMatch(demanded)]);
}

/** What is signed in a bundle that is about a file. */
function signedIn(bundle: Uint8Array, artifact: Uint8Array): Signed {
  const sha256 = createHash("sha256").update(artifact).digest();
  const value = JsonValue.parse(bundle, "bundle", "SIGNATURE_INVALID");
  const message = value.optional("messageSignature");
  if (message !== undefined) {
    const digest = Buffer.from(message.required("messageDigest").required("digest").bytes());
    assert.deepEqual(digest, sha256, "V17: the digest of the message");
    const signature = message.required("signature").bytes();
    return { form: "bundle", data: artifact, payload: artifact, signature };
  }
  const envelope = envelopeFrom(value.required("dsseEnvelope"));
  const subjects = JSON.parse(Buffer.from(envelope.payload).toString("utf8")).subject;
  assert.ok(
    subjects.some(
      (subject: { readonly digest: { readonly sha256: string } }) => subject.digest.sha256 === sha256.toString("hex"),
    ),
    "the statement is about something else",
  );
  return { form: "bundle", data: signedBytes(envelope), payload: envelope.payload, signature: envelope.signature };
}
