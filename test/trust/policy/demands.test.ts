import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isOciUnpackError, type OciUnpackError } from "../../../src/base/errors.ts";
import type { OciUnpackEvent } from "../../../src/base/events.ts";
import { copy } from "../../../src/copy/copy.ts";
import { resolve } from "../../../src/look/resolve.ts";
import { registrySource } from "../../../src/registry/registry.ts";
import { store } from "../../../src/store/store.ts";
import { storedSource } from "../../../src/store/stored-source.ts";
import type { TrustOptions } from "../../../src/trust/options.ts";
import { image, imageIndex } from "../../support/image.ts";
import { MemorySource } from "../../support/memory-source.ts";
import { ociUnpack } from "../../support/oci-unpack.ts";
import { file, tar } from "../../support/tar-builder.ts";
import { payloadOf, signer, storeSimpleSignings } from "../signing.ts";
import { type PolicyStage, setPolicyStage } from "./stage.ts";

const platform = "linux/amd64";
const demanding = (more: object = {}) => ({
  default: [{ type: "sigstoreSigned", keyPath: "PLACE/first.pub", ...more }],
});

let stage: PolicyStage;
before(async () => {
  stage = await setPolicyStage();
});
after(() => stage[Symbol.asyncDispose]());

let count = 0;

/** Writes a policy; gives its path. */
async function written(policy: unknown): Promise<string> {
  count += 1;
  const path = join(stage.place, `policy-${count}.json`);
  await writeFile(path, stage.filled(typeof policy === "string" ? policy : JSON.stringify(policy)));
  return path;
}

/** The error of an image that is refused. */
async function refused(name: string, policy: unknown, trust: TrustOptions = {}): Promise<OciUnpackError> {
  try {
    await resolve(stage.filled(name), { platform, trust: { ...trust, policy: await written(policy) } });
  } catch (error) {
    if (isOciUnpackError(error)) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("what a policy refuses is told with the place that says so, and what to do", () => {
  test("of cosign's names, which have no tag, it says matchRepository", async () => {
    const { code, message, details } = await refused("HOST/app/cosign:1", demanding());
    assert.equal(code, "POLICY_REJECTED");
    assert.match(message, /is demanded, and the simple signing sha256:\w+ about the manifest does not count/);
    const [{ reason = "" } = {}] = details.signatures ?? [];
    assert.match(reason, /as cosign does.*"signedIdentity": \{"type": "matchRepository"\} accepts it$/);
  });

  test("where another key signed as well, it is what the demanded key made", async () => {
    const identity = { type: "exactReference", dockerReference: "HOST/app/both:2" };
    const policy = demanding({ keyPath: "PLACE/second.pub", signedIdentity: identity });
    const { message } = await refused("HOST/app/both:1", policy);
    assert.match(message, /it was signed under ".*" is demanded \(and 1 more does not count\)$/);
  });

  test("every candidate has its own reason", async () => {
    const { details } = await refused("HOST/app/both:1", demanding({ keyPath: "PLACE/third.pub" }));
    assert.deepEqual(
      details.signatures?.map(({ reason }) => reason),
      ["another key made it", "another key made it"],
    );
  });

  test("of GPG, and of a policy that rejects, before anything about signatures is asked for", async () => {
    const { requests } = stage.registry;
    for (const [requirement, said] of [
      [{ type: "reject" }, /the policy "[^"]+" rejects every image, in its scope docker: "HOST\/app"$/],
      [{ type: "signedBy", keyType: "GPGKeys", keyPath: "/a" }, /a signature of GPG \(signedBy, GPGKeys\)/],
    ] as const) {
      const before = requests.length;
      const policy = { default: [{ type: "reject" }], transports: { docker: { "HOST/app": [requirement] } } };
      const { code, message } = await refused("HOST/app/tagged:1", policy);
      assert.equal(code, "POLICY_REJECTED");
      assert.match(message.replaceAll(stage.registry.host, "HOST"), said);
      const asked = requests.slice(before).filter(({ path }) => /referrers|\.sig$/.test(path));
      assert.deepEqual(asked, []);
    }
  });

  test("a docker archive has no signatures", async () => {
    const { code, message } = await refused("docker-archive:PLACE/images/docker.tar", demanding());
    assert.equal(code, "POLICY_REJECTED");
    assert.match(message, /where it comes from there can be none$/);
  });

  test("a key that is not there is an option that cannot be used", async () => {
    const { code, message, details } = await refused("HOST/app/tagged:1", demanding({ keyPath: "PLACE/none.pub" }));
    assert.deepEqual([code, details.option], ["INVALID_OPTION", "trust.policy"]);
    assert.match(message, /^cannot read the key "[^"]+\/none\.pub"/);
  });
});

describe("a policy that is malformed is told with its file, the place in it, and what is allowed", () => {
  const requirement = { type: "sigstoreSigned", keypath: "/a" };
  for (const [title, policy, said] of [
    [
      "a misspelt member",
      { default: [requirement] },
      /the policy "[^"]+\.json": "default\[0\]": it has "keypath", allowed are type, keyPath, keyPaths,/,
    ],
    ["a misspelt type", { default: [{ type: "rejects" }] }, /"default\[0\]\.type": "rejects" is not one of insecure/],
    [
      "a scope",
      { default: [{ type: "reject" }], transports: { dir: { a: [{ type: "reject" }] } } },
      /an absolute path/,
    ],
    ["a key twice", '{"default": [], "default": []}', /has the key "default" twice/],
    ["a policy of a megabyte and more", " ".repeat(1024 * 1024 + 1), /more than 1048576 bytes/],
  ] as const) {
    test(title, async () => {
      const { code, message, details } = await refused("HOST/app/plain:1", policy);
      assert.deepEqual([code, details.option], ["INVALID_OPTION", "trust.policy"]);
      assert.match(message, said);
    });
  }

  test("before anybody is asked", async () => {
    const before = stage.registry.requests.length;
    await refused("HOST/app/plain:1", {});
    assert.equal(stage.registry.requests.length, before);
  });
});

test("what was verified is in the result, and nothing where nothing was demanded of the image", async () => {
  const accepted = async (name: string, policy: unknown) => {
    const { verified } = await resolve(stage.filled(name), { platform, trust: { policy: await written(policy) } });
    return verified?.map(({ of, format }) => [of, format]);
  };
  assert.deepEqual(await accepted("HOST/app/tagged:1", demanding()), [["manifest", "simple-signing"]]);
  assert.deepEqual(await accepted("HOST/app/tagged:1", { default: [{ type: "insecureAcceptAnything" }] }), []);
});

test("of a certificate the result says whom it names, and when a log had the signature", async () => {
  const subjectEmail = "builder@people.example";
  const pki = { caRootsPath: "PLACE/pki-root.pem", subjectEmail };
  const oidcIssuer = "https://login.example";
  const fulcio = { caPath: "PLACE/fulcio.pem", oidcIssuer, subjectEmail };
  const verified = async (name: string, requirement: object) => {
    const policy = await written({ default: [{ type: "sigstoreSigned", ...requirement }] });
    const result = await resolve(stage.filled(name), { platform, trust: { policy } });
    return result.verified?.map(({ identity, issuer, loggedAtSeconds }) => [identity, issuer, loggedAtSeconds]);
  };
  assert.deepEqual(await verified("HOST/pki/good:1", { pki }), [[subjectEmail, undefined, undefined]]);
  assert.deepEqual(await verified("HOST/fulcio/good:1", { fulcio, rekorPublicKeyPath: "PLACE/rekor.pub" }), [
    [subjectEmail, oidcIssuer, Date.UTC(2025, 5, 1, 12) / 1000],
  ]);
});

test("V21: what a policy accepted is accepted offline from the store, by the name that it has in the registry", async () => {
  const name = stage.filled("HOST/app/tagged:1");
  const kept = store(join(stage.place, "store"));
  const trust = { policy: await written(demanding()) };
  const copied = async (offline: boolean) => {
    await using source = storedSource(registrySource(), kept, { offline });
    const { verified } = await copy(name, join(stage.place, `offline-${offline}`), { source, platform, trust });
    return verified?.length;
  };
  assert.equal(await copied(false), 1);
  assert.equal(await copied(true), 1);
  await using source = storedSource(registrySource(), kept, { offline: true });
  const other = { policy: await written(demanding({ keyPath: "PLACE/second.pub" })) };
  await assert.rejects(resolve(name, { source, platform, trust: other }), { code: "POLICY_REJECTED" });
});

test("a key is demanded beside a policy: both have to hold", async () => {
  const { pem } = signer();
  const other = await refused("HOST/app/tagged:1", demanding(), { keys: [pem] });
  assert.equal(other.code, "SIGNATURE_INVALID");
  const both = await refused("HOST/app/tagged:1", demanding({ keyPath: "PLACE/second.pub" }), {
    keys: [stage.keys.first?.pem ?? ""],
  });
  assert.equal(both.code, "POLICY_REJECTED");
});

test("V25: under a policy a copy of all platforms needs a signature of each manifest, and none of their index", async () => {
  const [first, second] = (["amd64", "arm64"] as const).map((architecture) =>
    image([tar(file("etc/name", architecture))], { platform: { os: "linux", architecture } }),
  );
  if (first === undefined || second === undefined) throw new Error("two images were made");
  const { registry, keys, place } = stage;
  const index = imageIndex([first, second]);
  const repository = "app/all";
  for (const { config, layers, manifest } of [first, second]) {
    for (const { bytes, descriptor } of [config, ...layers]) registry.addBlob(bytes, descriptor.mediaType);
    registry.addManifest(repository, undefined, manifest.bytes, manifest.descriptor.mediaType);
  }
  registry.addManifest(repository, "1", index.bytes, index.descriptor.mediaType);
  const name = `${registry.host}/${repository}:1`;
  const sign = (digest: string) => {
    const payload = payloadOf(digest, { identity: { "docker-reference": name } });
    if (keys.first !== undefined) storeSimpleSignings(registry, repository, digest, [{ payload, by: keys.first }]);
  };
  const policy = await written(demanding());
  const copied = async (target: string) =>
    (await copy(name, join(place, target), { allPlatforms: true, trust: { policy } })).verified?.length;

  sign(index.descriptor.digest);
  sign(first.manifest.descriptor.digest);
  await assert.rejects(copied("refused"), {
    code: "POLICY_REJECTED",
    message: new RegExp(`a signature of ${second.manifest.descriptor.digest} by`),
  });
  sign(second.manifest.descriptor.digest);
  assert.equal(await copied("copied"), 2);
});

test("of images from a source that says not where they are, a policy accepts none", async () => {
  const source = new MemorySource();
  const { manifest, config, layers } = image([tar(file("a"))]);
  for (const { descriptor, bytes } of [config, ...layers]) source.add(descriptor.mediaType, bytes);
  source.name("somewhere", manifest.descriptor.mediaType, manifest.bytes);
  const policy = await written({ default: [{ type: "insecureAcceptAnything" }] });
  await assert.rejects(resolve("somewhere", { source, platform, trust: { policy } }), { code: "POLICY_REJECTED" });
});

test("the decision of a policy is told with the scope that made it", async () => {
  const decisions: string[] = [];
  const onEvent = (event: OciUnpackEvent) => {
    if (event.type === "decision" && event.topic === "signature") decisions.push(event.message);
  };
  const policy = await written({ default: [{ type: "insecureAcceptAnything" }] });
  await resolve(stage.filled("HOST/app/plain:1"), { platform, onEvent, trust: { policy } });
  assert.deepEqual(decisions, [`the policy "${policy}" demands insecureAcceptAnything in its default`]);
});

describe("the command", () => {
  const list = async (args: readonly string[], home = "nobody") => {
    const env = { HOME: join(stage.place, home) };
    return await ociUnpack(["ls", ...args, "-p", platform, stage.filled("HOST/app/tagged:1")], { env });
  };

  test("takes a policy, and fails with it", async () => {
    const good = await list(["--policy", await written(demanding())]);
    assert.equal(good.status, 0, good.stderr);
    const bad = await list(["--policy", await written({ default: [{ type: "reject" }] })]);
    assert.equal(bad.status, 1);
    assert.match(bad.stderr, /^error: cannot trust .* the policy .* rejects every image, in its default$/m);
    const malformed = await list(["--policy", await written({ default: [] })]);
    assert.equal(malformed.status, 2);
    assert.match(malformed.stderr, /^error: cannot read the policy .*: "default": the list is empty$/m);
  });

  test("takes the machine's policy where that is asked for, and tells of it where it is not", async () => {
    const directory = join(stage.place, "home/.config/containers");
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "policy.json"), JSON.stringify({ default: [{ type: "reject" }] }));
    const asked = await list(["--policy", "machine"], "home");
    assert.equal(asked.status, 1);
    assert.match(asked.stderr, /home\/\.config\/containers\/policy\.json" rejects every image/);
    const unasked = await list(["--explain"], "home");
    assert.equal(unasked.status, 0, unasked.stderr);
    const said = /^signature: \S+home\/\.config\/containers\/policy\.json was not asked for and does not count/m;
    assert.match(unasked.stderr, said);
  });
});
