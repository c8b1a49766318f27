import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { image, imageIndex, stored } from "../support/image.ts";
import { commandEntry, ociUnpack } from "../support/oci-unpack.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { payloadOf, signer, storeBundle, storeSimpleSignings } from "../trust/signing.ts";

const sample = image([tar(file("etc/name", "listed"))]);
const { descriptor } = sample.manifest;
const { digest } = descriptor;
const index = imageIndex([sample]);
const repository = "some/image";
const owner = signer();
const stranger = signer();
const materials = "https://spdx.dev/Document";

interface Stage extends AsyncDisposable {
  readonly registry: RegistryDouble;
  readonly name: string;
  readonly key: string;
  readonly directory: string;
  run(...args: readonly string[]): ReturnType<typeof ociUnpack>;
}

async function setStage(): Promise<Stage> {
  const place = await scratch();
  const registry = await startRegistry({ referrersOnPage: 2 });
  const name = stored(registry, repository, sample);
  const key = join(place.directory, "cosign.pub");
  await writeFile(key, owner.pem);
  return {
    registry,
    name,
    key,
    directory: place.directory,
    run: (...args) => ociUnpack(["signatures", ...args, "-p", "linux/amd64", name]),
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

function sign(registry: RegistryDouble): void {
  storeSimpleSignings(registry, repository, digest, [
    { payload: payloadOf(digest), by: stranger },
    { payload: payloadOf(digest), by: owner },
  ]);
}

test("signatures lists what there is: without a key as not verified, and that is no failure", async () => {
  await using stage = await setStage();
  const none = await stage.run();
  assert.deepEqual(none, {
    status: 0,
    signal: undefined,
    stderr: "",
    stdout: `${stage.name}\n  ${digest}\nnothing is stored as a signature of it\n`,
  });
  sign(stage.registry);
  const { status, stdout } = await stage.run();
  assert.equal(status, 0);
  const [, , first, of] = stdout.split("\n");
  assert.match(first ?? "", /^not verified {2}simple signing {2}sha256:[0-9a-f]{64}$/);
  assert.equal(of?.trim(), "of the manifest");
});

test("signatures --json has exactly the members that are documented", async () => {
  await using stage = await setStage();
  sign(stage.registry);
  storeBundle(stage.registry, repository, descriptor, owner, { predicateType: materials });
  const { status, stdout, stderr } = await stage.run("--json", "--verify-key", stage.key);
  assert.deepEqual([status, stderr], [0, ""]);
  const { signatures, ...rest } = JSON.parse(stdout);
  assert.deepEqual(rest, { reference: stage.name, digest });
  const [bundle, other, own] = signatures;
  const fingerprint = own.key;
  assert.match(fingerprint, /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(bundle, {
    digest: bundle.digest,
    of: "manifest",
    format: "bundle",
    key: fingerprint,
    predicateType: materials,
    verdict: "verified",
    reason: `it attests "${materials}", and is no signature`,
  });
  const signing = { digest: own.digest, of: "manifest", format: "simple-signing" };
  assert.deepEqual(other, { ...signing, verdict: "rejected", reason: "another key made it" });
  assert.deepEqual(own, { ...signing, key: fingerprint, verdict: "verified" });
});

test("a demand that does not hold: the whole list, then the error, and exit status 1", async () => {
  await using stage = await setStage();
  storeSimpleSignings(stage.registry, repository, digest, [{ payload: payloadOf(digest), by: stranger }]);
  const text = await stage.run("--verify-key", stage.key);
  assert.equal(text.status, 1);
  assert.match(text.stdout, /^rejected {6}simple signing {2}sha256:/m);
  assert.match(text.stdout, /^ +another key made it$/m);
  assert.match(text.stderr, /^error: cannot trust .*does not count: another key made it\nhint: /);
  const json = await stage.run("--json", "--verify-key", stage.key);
  assert.equal(json.status, 1);
  assert.deepEqual(
    JSON.parse(json.stdout).signatures.map(({ verdict }: { readonly verdict: string }) => verdict),
    ["rejected"],
  );
  assert.equal(json.stderr, text.stderr);
});

test("what a signature says of itself cannot act on a terminal", async () => {
  await using stage = await setStage();
  storeBundle(stage.registry, repository, descriptor, owner, { predicateType: "https://x/\x1b[2J" });
  const { stdout } = await stage.run();
  assert.ok(!stdout.includes("\x1b"));
  assert.match(stdout, /states https:\/\/x\/\\x1b\[2J/);
});

describe("--predicate", () => {
  test("prints a line of JSON for each verified statement of the type, and nothing else", async () => {
    await using stage = await setStage();
    const attest = (by: typeof owner, predicate: unknown, predicateType = materials) =>
      storeBundle(stage.registry, repository, descriptor, by, { predicateType, predicate });
    attest(owner, { name: "first" });
    attest(stranger, { name: "another's" });
    attest(owner, { name: "another type" }, "https://slsa.dev/provenance/v1");
    attest(owner, { name: "second\u202e" });
    const { status, stdout, stderr } = await stage.run("--verify-key", stage.key, "--predicate", materials);
    assert.deepEqual([status, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n");
    assert.ok(!stdout.includes("\u202e"));
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [{ name: "first" }, { name: "second\u202e" }],
    );
  });

  test("where none was verified it is an error, and nothing is printed", async () => {
    await using stage = await setStage();
    storeBundle(stage.registry, repository, descriptor, stranger, { predicateType: materials });
    const { status, stdout, stderr } = await stage.run("--verify-key", stage.key, "--predicate", materials);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^error: cannot trust .* attestation of .*another key made it/);
  });

  test("without anybody who attests it is a wrong command line, and nobody is asked", async () => {
    await using stage = await setStage();
    for (const others of [[], ["--policy", "policy.json"]]) {
      const { status, stdout, stderr } = await stage.run(...others, "--predicate", materials);
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, /it has to be verified, and nobody is named who attests\nhint: .*--verify-key/);
    }
    assert.deepEqual(stage.registry.requests, []);
  });
});

/** How containerd calls a verifier (its bindir plugin): three options, a descriptor on standard input, all of its output. */
interface Judgement {
  readonly status: number | null;
  readonly reason: string;
}

describe("as an image verifier of containerd", () => {
  const descriptorType = "application/vnd.oci.descriptor.v1+json";

  /** Calls the wrapper script with what containerd passes; standard input stays open unless it is given. */
  async function judged(
    stage: Stage,
    { options = `--verify-key ${stage.key}`, name = stage.name, of = digest as string, input }: JudgementOptions = {},
  ): Promise<Judgement> {
    const wrapper = join(stage.directory, "verifier");
    const call = `exec "${process.execPath}" "${commandEntry}" signatures ${options} "$@"`;
    await writeFile(wrapper, `#!/bin/sh\n${call}\n`);
    await chmod(wrapper, 0o755);
    const child = spawn(wrapper, ["-name", name, "-digest", of, "-stdin-media-type", descriptorType], {
      cwd: "/",
      env: { PATH: process.env.PATH },
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    child.stderr.resume();
    child.stdin.on("error", () => {}); // it may end before it was read
    if (input !== undefined) child.stdin.end(input);
    const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
    child.stdin.destroy();
    return { status, reason: output };
  }

  interface JudgementOptions {
    readonly options?: string;
    readonly name?: string;
    readonly of?: string;
    readonly input?: string | Uint8Array;
  }

  test("a signed image is allowed, with the reason in one line, and a tag is not resolved", async () => {
    await using stage = await setStage();
    sign(stage.registry);
    const input = `${JSON.stringify(descriptor)}\n`;
    const { status, reason } = await judged(stage, { input });
    assert.equal(status, 0, reason);
    assert.match(reason, /^[^\n]*: simple signing sha256:\w+ is by the key sha256:\w+\n$/);
    assert.ok(stage.registry.requests.length > 0);
    assert.deepEqual(
      stage.registry.requests.filter(({ path }) => path.endsWith("/manifests/latest")),
      [],
    );
  });

  test("-digest decides: a tag that leads to something signed does not help", async () => {
    await using stage = await setStage();
    sign(stage.registry);
    const other = image([tar(file("etc/name", "unsigned"))]);
    stored(stage.registry, repository, other);
    stored(stage.registry, repository, sample);
    const { status, reason } = await judged(stage, { of: other.manifest.descriptor.digest });
    assert.equal(status, 1);
    assert.match(reason, /^cannot trust [^\n]*, and there is none\n$/);
  });

  test("an index is allowed if it is signed itself: containerd may choose another manifest from it", async () => {
    await using stage = await setStage();
    stage.registry.addManifest(repository, undefined, index.bytes, index.descriptor.mediaType);
    sign(stage.registry);
    assert.equal((await judged(stage, { of: index.descriptor.digest })).status, 1);
    storeBundle(stage.registry, repository, index.descriptor, owner);
    assert.equal((await judged(stage, { of: index.descriptor.digest })).status, 0);
  });

  test("a policy decides by the tag in -name: what was signed under another one does not count", async () => {
    await using stage = await setStage();
    const repositoryName = `${stage.registry.host}/${repository}`;
    const payload = payloadOf(digest, { identity: { "docker-reference": `${repositoryName}:1` } });
    storeSimpleSignings(stage.registry, repository, digest, [{ payload, by: owner }]);
    const policy = join(stage.directory, "policy.json");
    const signed = { type: "sigstoreSigned", keyPath: stage.key };
    const exact = { ...signed, signedIdentity: { type: "matchExact" } };
    const statusUnder = async (scopes: object, name: string) => {
      await writeFile(policy, JSON.stringify({ default: [{ type: "reject" }], transports: { docker: scopes } }));
      return (await judged(stage, { options: `--policy ${policy}`, name })).status;
    };
    for (const requirement of [signed, exact]) {
      assert.equal(await statusUnder({ "": [requirement] }, `${repositoryName}:1`), 0);
      assert.equal(await statusUnder({ "": [requirement] }, `${repositoryName}:2`), 1);
    }
    assert.equal(await statusUnder({ "": [signed] }, `${repositoryName}:2@${digest}`), 0);
    const refused = { "": [{ type: "insecureAcceptAnything" }], [`${repositoryName}:2`]: [{ type: "reject" }] };
    assert.equal(await statusUnder(refused, `${repositoryName}:1`), 0);
    assert.equal(await statusUnder(refused, `${repositoryName}:2`), 1);
  });

  test("standard input that is huge, or stays open, is not waited for", async () => {
    await using stage = await setStage();
    sign(stage.registry);
    assert.equal((await judged(stage)).status, 0);
    assert.equal((await judged(stage, { input: Buffer.alloc(64 * 1024 * 1024, " ") })).status, 0);
  });

  const refusals: Readonly<Record<string, readonly [JudgementOptions, status: number, reason: RegExp]>> = {
    "where nothing is demanded": [{ options: "" }, 2, /nothing is demanded/],
    "by another key": [{}, 1, /another key made it/],
    "with a key that is not there": [{ options: "--verify-key /nowhere.pub" }, 2, /cannot read the key/],
    "with an option that there is not": [{ options: "--verify-keys x" }, 2, /unknown option/],
    "from a registry that does not answer": [{ name: "127.0.0.1:1/some/image:latest" }, 1, /127\.0\.0\.1:1/],
    "with a digest that is none": [{ of: "latest" }, 2, /cannot/],
    "of another digest than its name has": [
      { name: `registry.example/app@sha256:${"1".repeat(64)}` },
      2,
      /-name has the digest sha256:1+, and -digest is/,
    ],
  };
  for (const [what, [options, expected, said]] of Object.entries(refusals)) {
    test(`an image is refused ${what}, and the reason is one line`, async () => {
      await using stage = await setStage();
      storeSimpleSignings(stage.registry, repository, digest, [{ payload: payloadOf(digest), by: stranger }]);
      const { status, reason } = await judged(stage, options);
      assert.equal(status, expected, reason);
      assert.match(reason, said);
      assert.match(reason, /^[^\n]{1,32000}\n$/);
    });
  }

  test("a name that looks like a file on this machine is one in a registry", async () => {
    await using stage = await setStage();
    const { status, reason } = await judged(stage, { name: `dir:${stage.directory}` });
    assert.equal(status, 2);
    assert.match(reason, /^cannot [^\n]*reference/);
  });
});
