import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isOciUnpackError } from "../../../src/base/errors.ts";
import { defaultLimits } from "../../../src/base/limits.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { localSource } from "../../../src/source/local/local-source.ts";
import { parsePolicy } from "../../../src/trust/policy/policy.ts";
import { readTrust } from "../../../src/trust/read-trust.ts";
import { insistOnTrust } from "../../../src/trust/trust.ts";
import { outcomeOf } from "../../support/command.ts";
import { repositoryFile } from "../../support/repository.ts";
import { type Scratch, scratch } from "../../support/scratch.ts";
import { skipWithout } from "../../support/tools.ts";
import type { PolicyVerdict } from "./cases.ts";

// The images that podman's libraries test their policies with, and their own example of a policy. They have no layers.

const fixtures = fileURLToPath(repositoryFile("../shared/fixtures/trust/container-libs"));
const skip = !existsSync(fixtures) && "no ../shared/fixtures";
const file = (name: string) => join(fixtures, name);

const host = "192.168.64.2:5000";
const named = (dockerRepository: string) => ({ signedIdentity: { type: "exactRepository", dockerRepository } });
const byKey = (name: string, repository: string, more: object = {}) => ({
  type: "sigstoreSigned",
  keyPath: file(name),
  ...named(repository),
  ...more,
});
const single = byKey("cosign.pub", `${host}/cosign-signed-single-sample`);
const rekor = { rekorPublicKeyPath: file("rekor.pub") };
const fulcio = (more: object = {}) => ({
  type: "sigstoreSigned",
  fulcio: {
    caPath: file("fulcio_v1.crt.pem"),
    oidcIssuer: "https://github.com/login/oauth",
    subjectEmail: "mitr@redhat.com",
    ...more,
  },
  ...rekor,
  ...named(`${host}/cosign-signed/fulcio-rekor-1`),
});
const pki = (more: object = {}) => ({
  type: "sigstoreSigned",
  pki: { caRootsPath: file("pki_root_crts.pem"), subjectEmail: "qiwan@redhat.com", ...more },
  ...named("localhost:5000/test"),
});

const verdicts: readonly (readonly [image: string, requirement: object, verdict: PolicyVerdict])[] = [
  ["valid", single, "accepted"],
  ["valid", byKey("cosign2.pub", `${host}/cosign-signed-single-sample`), "rejected"],
  ["valid", byKey("cosign.pub", `${host}/another`), "rejected"],
  ["valid", { ...single, ...rekor }, "rejected"],
  ["valid-2", single, "accepted"],
  ["mixed", single, "accepted"],
  ["valid-with-tag", byKey("cosign.pub", `${host}/skopeo-signed`), "accepted"],
  ["modified-manifest", single, "rejected"],
  ["manifest-digest-error", single, "rejected"],
  ["other-attachment", single, "rejected"],
  ["key-rekor-valid", byKey("cosign2.pub", `${host}/cosign-signed/key-1`), "accepted"],
  ["key-rekor-valid", byKey("cosign2.pub", `${host}/cosign-signed/key-1`, rekor), "accepted"],
  ["key-rekor-valid", byKey("cosign.pub", `${host}/cosign-signed/key-1`, rekor), "rejected"],
  [
    "key-rekor-valid",
    byKey("cosign2.pub", `${host}/cosign-signed/key-1`, { rekorPublicKeyPath: file("cosign.pub") }),
    "rejected",
  ],
  ["fulcio-rekor-valid", fulcio(), "accepted"],
  ["fulcio-rekor-valid", fulcio({ subjectEmail: "mitr@redhat.co" }), "rejected"],
  ["fulcio-rekor-valid", fulcio({ oidcIssuer: "https://accounts.google.com" }), "rejected"],
  ["fulcio-rekor-valid", fulcio({ caPath: file("pki_root_crts.pem") }), "rejected"],
  ["pki-valid", pki(), "accepted"],
  ["pki-valid", pki({ subjectHostname: "myhost.example.com" }), "accepted"],
  ["pki-valid", pki({ subjectHostname: "other.example.com" }), "rejected"],
  ["pki-valid", pki({ caRootsPath: file("pki_intermediate_crts.pem") }), "accepted"],
  ["pki-valid", pki({ caRootsPath: file("fulcio_v1.crt.pem") }), "rejected"],
];

describe("images that podman's libraries judge have the same verdict under a policy", { skip }, () => {
  let place: Scratch;
  before(async () => {
    place = await scratch();
  });
  after(() => place[Symbol.asyncDispose]());

  for (const [number, [name, requirement, verdict]] of verdicts.entries()) {
    test(`${number + 1}: ${name}: ${verdict}`, async (context) => {
      const directory = join(place.directory, `${number}`);
      await mkdir(directory);
      const policy = join(directory, "policy.json");
      const dir = { "": [requirement] };
      await writeFile(policy, JSON.stringify({ default: [{ type: "reject" }], transports: { dir } }));
      const image = `dir:${file(`dir-img-cosign-${name}`)}`;
      assert.equal(await decided(image, policy), verdict);
      const withoutSkopeo = skipWithout("skopeo");
      if (withoutSkopeo !== false) return context.skip(withoutSkopeo);
      assert.equal(await decidedBySkopeo(image, policy, join(directory, "copy")), verdict);
    });
  }

  test("their example of a policy is one", async () => {
    const { transports } = parsePolicy(await readFile(file("policy.json")), "policy.json");
    assert.deepEqual([...transports.keys()], ["dir", "docker"]);
  });
});

async function decided(name: string, policy: string): Promise<PolicyVerdict> {
  await using source = localSource();
  const image = source.image(name);
  const { bytes } = await image.manifest();
  try {
    const signed = { reference: name, digest: digestOf(bytes) };
    await insistOnTrust(signed, await readTrust({ policy }), { source: image, limits: defaultLimits });
    return "accepted";
  } catch (error) {
    if (isOciUnpackError(error, "POLICY_REJECTED")) return "rejected";
    throw error;
  }
}

/** An image that was accepted fails later, because it has no layers. */
async function decidedBySkopeo(image: string, policy: string, copy: string): Promise<PolicyVerdict> {
  const args = ["--policy", policy, "--override-arch", "amd64", "copy", "--quiet", image, `dir:${copy}`];
  const { stderr } = await outcomeOf("skopeo", args);
  return /Source image rejected/.test(stderr) ? "rejected" : "accepted";
}
