import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  type CopyOptions,
  copy,
  registrySource,
  resolve,
  signatures,
  store,
  storedSource,
  type TrustOptions,
} from "../../src/index.ts";
import { output } from "../support/command.ts";
import { blobsOf, image, imageIndex, stored } from "../support/image.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { answer } from "../support/registry-reply.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { skipWithout } from "../support/tools.ts";
import {
  envelopeOf,
  payloadOf,
  signer,
  storeBundle,
  storeOlderAttestations,
  storeSimpleSignings,
} from "../trust/signing.ts";

const amd64 = image([tar(file("etc/name", "amd64"))]);
const arm64 = image([tar(file("etc/name", "arm64"))], { platform: { os: "linux", architecture: "arm64" } });
const index = imageIndex([amd64, arm64]);
const { descriptor } = amd64.manifest;
const { digest } = descriptor;
const repository = "some/image";
const owner = signer();
const trust = { keys: [owner.pem] };
const provenance = "https://slsa.dev/provenance/v1";
const platform = "linux/amd64";

interface Stage extends AsyncDisposable {
  readonly place: Scratch;
  readonly registry: RegistryDouble;
  /** A manifest, and an index of two. */
  readonly one: string;
  readonly both: string;
  /** Copies to a name in the scratch directory, and gives its path. */
  copied(name: string, options?: CopyOptions): Promise<string>;
}

async function setStage(): Promise<Stage> {
  const place = await scratch();
  const registry = await startRegistry({ referrersOnPage: 2 });
  const one = stored(registry, repository, amd64);
  for (const each of blobsOf(arm64)) registry.addBlob(each.bytes, each.descriptor.mediaType);
  registry.addManifest(repository, undefined, arm64.manifest.bytes);
  registry.addManifest(repository, "both", index.bytes, index.descriptor.mediaType);
  return {
    place,
    registry,
    one,
    both: one.replace(/latest$/, "both"),
    async copied(name, options = {}) {
      const path = join(place.directory, "copy");
      await copy(name, path, { platform, signatures: true, ...options });
      return path;
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** One of each format for the manifest. */
function storeOneOfEach(registry: RegistryDouble): void {
  storeBundle(registry, repository, descriptor, owner);
  storeOlderAttestations(registry, repository, digest, [envelopeOf(digest, owner, { predicateType: provenance })]);
  storeSimpleSignings(registry, repository, digest, [{ payload: payloadOf(digest), by: owner }]);
}

async function verifiedIn(name: string, wanted: TrustOptions = trust, onPlatform = platform): Promise<string> {
  const { verified = [] } = await resolve(name, { platform: onPlatform, trust: wanted });
  return verified.map(({ of, format }) => `${format} of the ${of}`).join();
}

describe("signatures and attestations come along, and are verified where the copy is", () => {
  for (const [form, transport] of [
    ["layout", "oci"],
    ["oci-archive", "oci-archive"],
  ] as const) {
    test(`in the form ${form}`, async () => {
      await using stage = await setStage();
      storeOneOfEach(stage.registry);
      const there = await signatures(stage.one, { platform, trust });
      const name = `${transport}:${await stage.copied(stage.one, { form })}`;
      const asked = stage.registry.requests.length;
      const here = await signatures(`${name}:latest`, { platform, trust });
      assert.deepEqual(here.signatures, there.signatures);
      assert.equal(here.signatures.length, 3);
      assert.equal(await verifiedIn(name), "bundle of the manifest", "without a tag the image is meant, too");
      assert.equal(await verifiedIn(name, { ...trust, attestations: [provenance] }), "attestation of the manifest");
      assert.equal(stage.registry.requests.length, asked, "nobody else is asked");
    });
  }

  test("of an image for all platforms, those of the index and of each manifest", async () => {
    await using stage = await setStage();
    storeSimpleSignings(stage.registry, repository, arm64.manifest.descriptor.digest, [
      { payload: payloadOf(arm64.manifest.descriptor.digest), by: owner },
    ]);
    storeBundle(stage.registry, repository, index.descriptor, owner, { predicateType: provenance });
    const name = `oci:${await stage.copied(stage.both, { allPlatforms: true })}:both`;
    assert.equal(await verifiedIn(name, trust, "linux/arm64"), "simple-signing of the manifest");
    assert.equal(await verifiedIn(name, { ...trust, attestations: [provenance] }), "bundle of the index");
  });

  test("of one platform, that of the index too: the index comes along, since it is what was signed", async () => {
    await using stage = await setStage();
    storeBundle(stage.registry, repository, index.descriptor, owner);
    const path = await stage.copied(stage.both);
    assert.equal(await verifiedIn(`oci:${path}:both`), "bundle of the index");
    await assert.rejects(resolve(`oci:${path}:both`, { platform: "linux/arm64" }), { code: "NOT_FOUND" });
  });

  test("and where the index is not signed, the copy is of the manifest, as without signatures", async () => {
    await using stage = await setStage();
    storeSimpleSignings(stage.registry, repository, digest, [{ payload: payloadOf(digest), by: owner }]);
    const path = await stage.copied(stage.both);
    const { indexDigest, digest: found } = await resolve(`oci:${path}:both`, { platform });
    assert.deepEqual([found, indexDigest], [digest, undefined]);
    assert.equal(await verifiedIn(`oci:${path}:both`), "simple-signing of the manifest");
  });

  test("through a store, and from the store alone", async () => {
    await using stage = await setStage();
    storeOneOfEach(stage.registry);
    const kept = store(join(stage.place.directory, "store"));
    for (const offline of [false, true]) {
      const source = storedSource(registrySource(), kept, { offline });
      const path = join(stage.place.directory, `copy-${offline}`);
      try {
        const { signatures: count } = await copy(stage.one, path, { platform, signatures: true, source });
        assert.equal(count, 3);
      } finally {
        await source[Symbol.asyncDispose]();
      }
      assert.equal(await verifiedIn(`oci:${path}:latest`), "bundle of the manifest");
    }
  });
});

test("what comes along is byte for byte what the registry has, and each part of it is there", async () => {
  await using stage = await setStage();
  storeOneOfEach(stage.registry);
  const path = await stage.copied(stage.one);
  const blobs = join(path, "blobs/sha256");
  const { content } = stage.registry;
  const expected = new Map([...content.blobs]);
  for (const { digest: each, bytes } of content.manifests.values()) expected.set(each, bytes);
  for (const each of [index, arm64.manifest, arm64.config, ...arm64.layers]) expected.delete(each.descriptor.digest);
  const names = await readdir(blobs);
  assert.deepEqual(names.sort(), [...expected.keys()].map((each) => each.slice("sha256:".length)).sort());
  for (const [each, bytes] of expected) {
    const copied = await readFile(join(blobs, each.slice("sha256:".length)));
    assert.ok(copied.equals(bytes), each);
  }
});

test("without the option nobody is asked for signatures, and the result tells of none", async () => {
  await using stage = await setStage();
  storeOneOfEach(stage.registry);
  const result = await copy(stage.one, join(stage.place.directory, "copy"), { platform });
  assert.ok(!("signatures" in result));
  assert.deepEqual(
    stage.registry.requests.filter(({ path }) => /referrers|sha256-/.test(path)),
    [],
  );
});

describe("nothing is left where", () => {
  /** Makes a copy that has to fail. */
  async function failed(stage: Stage, code: string, options: CopyOptions = {}): Promise<void> {
    await assert.rejects(stage.copied(stage.one, options), { code });
    assert.deepEqual(await readdir(stage.place.directory), []);
  }

  test("a part of a signature is not what its digest says", async () => {
    await using stage = await setStage();
    storeOneOfEach(stage.registry);
    const payload = [...stage.registry.content.blobs].find(([, bytes]) => Buffer.from(bytes).includes("critical"));
    const bytes = Buffer.from(payload?.[1] ?? []);
    bytes[bytes.length - 1] = 0x20;
    stage.registry.content.blobs.set(payload?.[0] ?? "", bytes);
    await failed(stage, "DIGEST_MISMATCH");
  });

  test("V8: signatures cannot be asked for: that is no image without them", async () => {
    await using stage = await setStage();
    stage.registry.always(/\.sig$/, answer(403));
    await failed(stage, "FORBIDDEN");
  });

  test("V7: a part of a signature is larger than its limit", async () => {
    await using stage = await setStage();
    storeSimpleSignings(stage.registry, repository, digest, [{ payload: payloadOf(digest), by: owner }]);
    await failed(stage, "LIMIT_EXCEEDED", { limits: { signatureBytes: 100 } });
  });

  test("the image is not signed as demanded", async () => {
    await using stage = await setStage();
    storeOneOfEach(stage.registry);
    await failed(stage, "SIGNATURE_INVALID", { trust: { keys: [signer().pem] } });
  });
});

test("where signatures have no place, that is told as a wrong option", async () => {
  await using stage = await setStage();
  await assert.rejects(stage.copied(stage.one, { form: "docker-archive" }), {
    code: "INVALID_OPTION",
    message: /signatures: a docker archive has no place for them/,
  });
  const directory = join(stage.place.directory, "image");
  await mkdir(directory);
  await writeFile(join(directory, "manifest.json"), amd64.manifest.bytes);
  for (const { descriptor: each, bytes } of [amd64.config, ...amd64.layers])
    await writeFile(join(directory, each.digest.slice("sha256:".length)), bytes);
  await writeFile(join(directory, "signature-1"), "of whatever kind");
  await assert.rejects(stage.copied(`dir:${directory}`), { code: "INVALID_OPTION", message: /are files/ });
});

test("the command copies them with --signatures, says how many, and refuses it where it makes no sense", async () => {
  await using stage = await setStage();
  storeOneOfEach(stage.registry);
  const path = join(stage.place.directory, "copy");
  const args = ["-p", platform, "--signatures", stage.one];
  const { status, stderr } = await ociUnpack(["--output", "layout", "-o", path, ...args]);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /with 3 signatures and attestations/);
  const wrong = await ociUnpack(["--output", "tar", "-o", `${path}.tar`, ...args]);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /--signatures: it goes with --output layout or oci-archive/);
});

test("skopeo reads such a copy as it reads others", { skip: skipWithout("skopeo") }, async () => {
  await using stage = await setStage();
  storeOneOfEach(stage.registry);
  storeBundle(stage.registry, repository, index.descriptor, owner);
  const path = await stage.copied(stage.both);
  const skopeo = (...args: readonly string[]) => output("skopeo", ["--insecure-policy", ...args]);
  assert.equal(await skopeo("inspect", "--raw", `oci:${path}:both`), Buffer.from(index.bytes).toString());
  const back = `dir:${join(stage.place.directory, "back")}`;
  await skopeo("--override-os=linux", "--override-arch=amd64", "copy", "-q", `oci:${path}:both`, back);
  const signing = `sha256-${digest.slice("sha256:".length)}.sig`;
  assert.match(await skopeo("inspect", "--raw", `oci:${path}:${signing}`), /simplesigning/);
});

test("oras finds what refers to the image in such a copy", { skip: skipWithout("oras") }, async () => {
  await using stage = await setStage();
  storeOneOfEach(stage.registry);
  const path = await stage.copied(stage.one);
  const found = await output("oras", ["discover", "--oci-layout", "--format", "json", `${path}@${digest}`]);
  const { manifests } = JSON.parse(found);
  assert.deepEqual(
    manifests.map(({ artifactType }: { readonly artifactType: string }) => artifactType),
    ["application/vnd.dev.sigstore.bundle.v0.3+json"],
  );
});
