import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isOciUnpackError } from "../../../src/base/errors.ts";
import { resolve } from "../../../src/look/resolve.ts";
import { outcomeOf, output } from "../../support/command.ts";
import { type DockerRegistry, dockerRegistry } from "../../support/docker-registry.ts";
import { image } from "../../support/image.ts";
import { writeImageLayout } from "../../support/image-layout.ts";
import { push } from "../../support/push.ts";
import { type Scratch, scratch } from "../../support/scratch.ts";
import { file, tar } from "../../support/tar-builder.ts";
import { skipWithout } from "../../support/tools.ts";
import * as der from "../keyless/der.ts";
import { authority, certificate, certificatePem, extension, named, namesExtension, pair } from "../keyless/instance.ts";
import type { PolicyVerdict } from "./cases.ts";

// What skopeo and cosign sign in Debian's docker-registry, under policies that skopeo obeys in the same test.

const platform = "linux/amd64";
const byName = { signedIdentity: { type: "matchRepository" } };

describe("what others sign, under a policy", { skip: skipWithout("docker-registry", "cosign", "skopeo") }, () => {
  let place: Scratch;
  let registry: DockerRegistry;
  const path = (name: string) => join(place.directory, name);
  let count = 0;

  const run = (program: string, ...args: readonly string[]) => {
    const environment = { HOME: place.directory, COSIGN_PASSWORD: "", COSIGN_YES: "true" };
    return output(program, args, { directory: place.directory, environment });
  };

  before(async () => {
    place = await scratch();
    registry = await dockerRegistry();
    await mkdir(path("registries.d"));
    await writeFile(path("registries.d/default.yaml"), "default-docker:\n  use-sigstore-attachments: true\n");
    await writeFile(path("passphrase"), "");
    await run("cosign", "generate-key-pair", "--output-key-prefix", "cosign");
    await run("skopeo", "generate-sigstore-key", "--output-prefix", "skopeo", "--passphrase-file", "passphrase");
  });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  async function pushed(repository: string) {
    const one = image([tar(file("etc/name", repository))]);
    await push(registry.host, repository, "1", one);
    const name = `${registry.host}/${repository}`;
    return { one, name: `${name}:1`, exact: `${name}@${one.manifest.descriptor.digest}` };
  }

  /** What is decided here, and by skopeo. */
  async function verdicts(name: string, requirement: object): Promise<readonly [PolicyVerdict, PolicyVerdict]> {
    count += 1;
    const policy = path(`policy-${count}.json`);
    await writeFile(policy, JSON.stringify({ default: [{ type: "sigstoreSigned", ...requirement }] }));
    const places = ["--registries.d", path("registries.d"), "--tmpdir", place.directory, "--override-arch", "amd64"];
    const copy = ["copy", "--quiet", "--src-tls-verify=false", `docker://${name}`, `dir:${path(`copy-${count}`)}`];
    const environment = { HOME: place.directory };
    const { status, stderr } = await outcomeOf("skopeo", ["--policy", policy, ...places, ...copy], { environment });
    if (status !== 0) assert.match(stderr, /Source image rejected/);
    return [await decided(name, policy), status === 0 ? "accepted" : "rejected"];
  }

  const both = (verdict: PolicyVerdict) => [verdict, verdict];

  test("skopeo's signature has the tag: the name that it was signed under is accepted, and no other", async () => {
    const { one, name } = await pushed("by-skopeo");
    await writeImageLayout(path("layout"), [{ tag: "1", images: [one] }]);
    const places = ["--insecure-policy", "--registries.d", path("registries.d"), "--tmpdir", place.directory];
    const signing = ["--sign-by-sigstore-private-key", "skopeo.private", "--sign-passphrase-file", "passphrase"];
    const copy = ["copy", "--quiet", "--dest-tls-verify=false", `oci:${path("layout")}:1`, `docker://${name}`];
    await run("skopeo", ...places, ...copy, ...signing);
    assert.deepEqual(await verdicts(name, { keyPath: path("skopeo.pub") }), both("accepted"));
    assert.deepEqual(await verdicts(name, { keyPath: path("cosign.pub") }), both("rejected"));
    const exactReference = { type: "exactReference", dockerReference: name.replace(/:1$/, ":2") };
    const otherwise = { keyPath: path("skopeo.pub"), signedIdentity: exactReference };
    assert.deepEqual(await verdicts(name, otherwise), both("rejected"));
  });

  test("cosign's signature has none: matchRepository accepts it", async () => {
    const { name, exact } = await pushed("by-cosign");
    await run("cosign", "sign", "--key", "cosign.key", "--tlog-upload=false", "--allow-insecure-registry", exact);
    assert.deepEqual(await verdicts(name, { keyPath: path("cosign.pub") }), both("rejected"));
    assert.deepEqual(await verdicts(name, { keyPath: path("cosign.pub"), ...byName }), both("accepted"));
    assert.deepEqual(await verdicts(name, { keyPath: path("skopeo.pub"), ...byName }), both("rejected"));
  });

  test("cosign's signature with a certificate is one of that infrastructure", async () => {
    const { name, exact } = await pushed("by-certificate");
    const always = { from: new Date("2020-01-01T00:00:00Z"), until: new Date("2049-01-01T00:00:00Z") };
    const own = { subject: "root", pair: pair() };
    const root = certificate({
      ...always,
      ...own,
      issuer: own,
      extensions: [authority.constraints(), authority.usage],
    });
    const publicKey = createPublicKey(await readFile(path("cosign.pub")));
    const signer = certificate({
      ...always,
      subject: "builder",
      pair: { ...own.pair, publicKey },
      issuer: root,
      extensions: [
        namesExtension(named.email("builder@people.example")),
        extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.3"))),
      ],
    });
    await writeFile(path("signer.pem"), certificatePem(signer));
    await writeFile(path("root.pem"), certificatePem(root));
    const signing = ["--key", "cosign.key", "--certificate", "signer.pem", "--certificate-chain", "root.pem"];
    await run("cosign", "sign", ...signing, "--tlog-upload=false", "--allow-insecure-registry", exact);
    const pki = { caRootsPath: path("root.pem"), subjectEmail: "builder@people.example" };
    assert.deepEqual(await verdicts(name, { pki, ...byName }), both("accepted"));
    const other = { ...pki, subjectEmail: "other@people.example" };
    assert.deepEqual(await verdicts(name, { pki: other, ...byName }), both("rejected"));
  });

  test("cosign's bundle, which skopeo does not know, counts under matchRepository", async () => {
    const { name, exact } = await pushed("by-bundle");
    await writeFile(path("predicate.json"), "{}");
    const attesting = ["--key", "cosign.key", "--type", "https://sigstore.dev/cosign/sign/v1", "--new-bundle-format"];
    const where = ["--predicate", "predicate.json", "--tlog-upload=false", "--allow-insecure-registry", exact];
    await run("cosign", "attest", ...attesting, ...where);
    const requirement = { keyPath: path("cosign.pub") };
    assert.deepEqual(await verdicts(name, { ...requirement, ...byName }), ["accepted", "rejected"]);
    assert.deepEqual(await verdicts(name, requirement), both("rejected"));
  });
});

async function decided(name: string, policy: string): Promise<PolicyVerdict> {
  try {
    await resolve(name, { platform, trust: { policy } });
    return "accepted";
  } catch (error) {
    if (isOciUnpackError(error, "POLICY_REJECTED")) return "rejected";
    throw error;
  }
}
