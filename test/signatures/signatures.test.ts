import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type SignaturesOptions, signatures } from "../../src/index.ts";
import { image, imageIndex, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { bundleWith, Instance, logEntry, signedAt, signedStatement, usual } from "../trust/keyless/instance.ts";
import {
  envelopeOf,
  payloadOf,
  signer,
  storeBundle,
  storeOlderAttestations,
  storeSimpleSignings,
} from "../trust/signing.ts";

const sample = image([tar(file("etc/name", "listed"))]);
const { descriptor } = sample.manifest;
const { digest } = descriptor;
const index = imageIndex([sample]);
const repository = "some/image";
const platform = "linux/amd64";
const owner = signer();
const stranger = signer();
const provenance = "https://slsa.dev/provenance/v1";
const signature = "https://sigstore.dev/cosign/sign/v1";

interface Stage extends AsyncDisposable {
  readonly registry: RegistryDouble;
  readonly name: string;
  listed(options?: SignaturesOptions): ReturnType<typeof signatures>;
}

/** A registry with an index of one image. */
async function setStage(): Promise<Stage> {
  const registry = await startRegistry({ referrersOnPage: 2 });
  stored(registry, repository, sample);
  registry.addManifest(repository, "many", index.bytes, index.descriptor.mediaType);
  const name = `${registry.host}/${repository}:many`;
  return {
    registry,
    name,
    listed: (options) => signatures(name, { platform, ...options }),
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

/** Stores one of each format, the first of the index. */
function storeOneOfEach(registry: RegistryDouble): void {
  storeBundle(registry, repository, index.descriptor, stranger);
  storeBundle(registry, repository, descriptor, owner, { predicateType: provenance, predicate: { built: "here" } });
  storeOlderAttestations(registry, repository, digest, [envelopeOf(digest, stranger, { predicateType: provenance })]);
  storeSimpleSignings(registry, repository, digest, [
    { payload: payloadOf(digest), by: stranger },
    { payload: payloadOf(digest), by: owner },
  ]);
}

const trust = { keys: [owner.pem] };

test("without a demand all is listed as not verified, with what it says of itself", async () => {
  await using stage = await setStage();
  storeOneOfEach(stage.registry);
  const { reference, digest: found, signatures: listed, refusal, verified } = await stage.listed();
  assert.deepEqual([reference, found, refusal, verified], [stage.name, digest, undefined, undefined]);
  assert.deepEqual(
    listed.map(({ of, format, predicateType, verdict }) => [of, format, predicateType, verdict]),
    [
      ["index", "bundle", signature, "not verified"],
      ["manifest", "bundle", provenance, "not verified"],
      ["manifest", "attestation", provenance, "not verified"],
      ["manifest", "simple-signing", undefined, "not verified"],
      ["manifest", "simple-signing", undefined, "not verified"],
    ],
  );
  assert.ok(listed.every((each) => !("key" in each) && !("predicate" in each)));
});

test("no layer and no configuration is asked for", async () => {
  await using stage = await setStage();
  storeOneOfEach(stage.registry);
  await stage.listed({ trust });
  const { config, layers } = sample;
  for (const { descriptor: each } of [config, ...layers]) {
    assert.ok(!stage.registry.requests.some(({ path }) => path.includes(each.digest)));
  }
});

test("with a key each has its verdict, and the first good one does not end the search", async () => {
  await using stage = await setStage();
  storeOneOfEach(stage.registry);
  const { signatures: listed, refusal, verified } = await stage.listed({ trust });
  assert.equal(refusal, undefined);
  assert.deepEqual(
    verified?.map(({ of, format }) => [of, format]),
    [["manifest", "simple-signing"]],
  );
  assert.deepEqual(
    listed.map(({ format, key, verdict, reason }) => [format, key !== undefined, verdict, reason]),
    [
      ["bundle", false, "rejected", "another key made it"],
      ["bundle", true, "verified", `it attests "${provenance}", and is no signature`],
      ["attestation", false, "rejected", "another key made it"],
      ["simple-signing", false, "rejected", "another key made it"],
      ["simple-signing", true, "verified", undefined],
    ],
  );
});

test("V6: where only an attestation is the owner's, a demand for a signature is not fulfilled, and all is listed", async () => {
  await using stage = await setStage();
  storeBundle(stage.registry, repository, descriptor, owner, { predicateType: provenance });
  const { signatures: listed, refusal, verified } = await stage.listed({ trust });
  assert.equal(refusal?.code, "SIGNATURE_INVALID");
  assert.equal(verified, undefined);
  assert.deepEqual(
    listed.map(({ verdict }) => verdict),
    ["verified"],
  );
});

test("V2: what the owner signed of something else is rejected, whatever it states", async () => {
  await using stage = await setStage();
  const elsewhere = `sha256:${"1".repeat(64)}`;
  const statement = { _type: "https://in-toto.io/Statement/v1", predicateType: provenance };
  const subject = [{ digest: { sha256: "1".repeat(64) } }];
  storeBundle(stage.registry, repository, descriptor, owner, { statement: { ...statement, subject } });
  storeSimpleSignings(stage.registry, repository, digest, [{ payload: payloadOf(elsewhere), by: owner }]);
  const { signatures: listed } = await stage.listed({ trust });
  assert.deepEqual(
    listed.map(({ verdict, reason }) => [verdict, reason]),
    [
      ["rejected", "its statement is about something else"],
      ["rejected", `it is a signature of ${elsewhere}`],
    ],
  );
});

test("what an attestation states is told where it was verified", async () => {
  await using stage = await setStage();
  storeOneOfEach(stage.registry);
  const { signatures: listed } = await stage.listed({ trust: { ...trust, attestations: [provenance] } });
  assert.deepEqual(
    listed.map(({ predicate }) => predicate),
    [undefined, { built: "here" }, undefined, undefined, undefined],
  );
});

test("V25: with all platforms an index stands for itself: what is signed of its manifests does not count", async () => {
  await using stage = await setStage();
  storeSimpleSignings(stage.registry, repository, digest, [{ payload: payloadOf(digest), by: owner }]);
  const whole = { trust, allPlatforms: true };
  const { digest: found, signatures: listed, refusal } = await stage.listed(whole);
  assert.deepEqual([found, listed, refusal?.code], [index.descriptor.digest, [], "SIGNATURE_MISSING"]);
  storeBundle(stage.registry, repository, index.descriptor, owner);
  assert.equal((await stage.listed(whole)).refusal, undefined);
});

test("what is stored for an artifact that is no image is listed too", async () => {
  await using registry = await startRegistry({ referrersOnPage: 2 });
  const chart = registry.addManifest(repository, "chart", {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: registry.addBlob("{}", "application/vnd.cncf.helm.config.v1+json"),
    layers: [],
  });
  storeBundle(registry, repository, chart, owner);
  const { signatures: listed } = await signatures(`${registry.host}/${repository}:chart`, { trust });
  assert.deepEqual(
    listed.map(({ verdict }) => verdict),
    ["verified"],
  );
});

describe("of a signature with a certificate", () => {
  const instance = new Instance();

  /** Stores a bundle of the signer in an index's registry. */
  function storeCertified(registry: RegistryDouble, claims: object = {}): void {
    const signed = signedStatement(digest, instance.signer());
    const entry = logEntry(signed, { kind: "dsse", log: instance.rekor });
    const bytes = bundleWith(signed, { entries: [{ ...entry, ...claims }] });
    storeBundle(registry, repository, descriptor, owner, { bytes: bytes.toString("utf8") });
  }

  test("it is told who says to have made it, and when, as not verified, or as rejected", async () => {
    await using stage = await setStage();
    storeCertified(stage.registry);
    const says = { ...usual, loggedAtSeconds: signedAt.getTime() / 1000, predicateType: signature };
    for (const [options, verdict, reason] of [
      [{}, "not verified", undefined],
      [{ trust }, "rejected", "it was signed with a certificate, not with a key"],
    ] as const) {
      const { signatures: listed } = await stage.listed(options);
      const about = { digest: listed[0]?.digest, of: "manifest", format: "bundle" };
      assert.deepEqual(listed, [{ ...about, ...says, verdict, ...(reason && { reason }) }]);
    }
  });

  test("a time that is none is not told", async () => {
    await using stage = await setStage();
    storeCertified(stage.registry, { integratedTime: "9007199254740991" });
    const { signatures: listed } = await stage.listed();
    assert.deepEqual(
      listed.map(({ identity, loggedAtSeconds }) => [identity, loggedAtSeconds]),
      [[usual.identity, undefined]],
    );
  });
});

describe("formats that are not supported are named", () => {
  test("notation's", async () => {
    await using stage = await setStage();
    stage.registry.addManifest(repository, undefined, {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      artifactType: "application/vnd.cncf.notary.signature",
      config: stage.registry.addBlob("{}", "application/vnd.cncf.notary.signature"),
      layers: [],
      subject: descriptor,
    });
    const { signatures: listed, otherFormats } = await stage.listed();
    assert.deepEqual([listed, otherFormats], [[], ["notation"]]);
  });

  test("GPG's, in a directory", async () => {
    await using place = await scratch();
    const directory = join(place.directory, "image");
    await mkdir(directory);
    await writeFile(join(directory, "manifest.json"), sample.manifest.bytes);
    await writeFile(join(directory, "signature-1"), Buffer.from([0x90, 1, 2, 3]));
    const { signatures: listed, otherFormats, refusal } = await signatures(`dir:${directory}`, { trust });
    assert.deepEqual([listed, otherFormats], [[], ["GPG"]]);
    assert.match(refusal?.message ?? "", /there is none but of GPG, which is not supported/);
  });
});

test("V8: an error while signatures are fetched is an error, and no list", async () => {
  await using stage = await setStage();
  storeOneOfEach(stage.registry);
  stage.registry.always(/\.sig$/, () => ({ status: 403, headers: {}, body: new Uint8Array() }));
  await assert.rejects(stage.listed(), { code: "FORBIDDEN" });
});

test("an image that is refused is not approved; one that is listed without a demand is", async () => {
  await using stage = await setStage();
  const asked: (string | undefined)[] = [];
  const approve = ({ verified }: { readonly verified?: readonly { readonly of: string }[] }) => {
    asked.push(verified?.map(({ of }) => of).join());
  };
  await stage.listed({ approve });
  assert.equal((await stage.listed({ trust, approve })).refusal?.code, "SIGNATURE_MISSING");
  storeSimpleSignings(stage.registry, repository, digest, [{ payload: payloadOf(digest), by: owner }]);
  await stage.listed({ trust, approve });
  assert.deepEqual(asked, [undefined, "manifest"]);
});
