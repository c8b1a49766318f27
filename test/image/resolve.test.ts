import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import os from "node:os";
import { test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import type { OciUnpackEvent } from "../../src/base/events.ts";
import type { ResolveOptions } from "../../src/image/options.ts";
import { resolveImage } from "../../src/image/resolve.ts";
import { resolve } from "../../src/look/resolve.ts";
import { type Digest, digestOf, Hasher, parseDigest } from "../../src/oci/digest.ts";
import { MemorySource, type WrittenDescriptor } from "../support/memory-source.ts";

const ociIndex = "application/vnd.oci.image.index.v1+json";
const ociManifest = "application/vnd.oci.image.manifest.v1+json";
const ociConfig = "application/vnd.oci.image.config.v1+json";
const ociLayer = "application/vnd.oci.image.layer.v1.tar+gzip";
const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

const amd64 = { os: "linux", architecture: "amd64" };
const arm64 = { os: "linux", architecture: "arm64" };

test("a name that stands for a manifest is that image, with its config byte for byte", async () => {
  const source = new MemorySource();
  const written = `{ "os":"linux",  "architecture":"amd64", "rootfs":{"type":"layers","diff_ids":["${diffID(0)}"]} }\n`;
  const config = source.add(ociConfig, written);
  const layer = source.add(ociLayer, "layer");
  const manifest = { schemaVersion: 2, mediaType: ociManifest, config, layers: [layer] };
  source.name("x", ociManifest, manifest);

  const image = await resolve("x", { source });

  const layerDescriptor = { mediaType: ociLayer, digest: layer.digest, sizeBytes: 5 };
  assert.deepEqual(
    { ...image, configBytes: Buffer.from(image.configBytes).toString() },
    {
      reference: "x",
      digest: digestOf(Buffer.from(JSON.stringify(manifest))),
      platform: amd64,
      manifest: {
        kind: "manifest",
        mediaType: ociManifest,
        config: { mediaType: ociConfig, digest: config.digest, sizeBytes: config.size },
        layers: [layerDescriptor],
      },
      config: { platform: amd64, diffIDs: [diffID(0)], execution: {} },
      configBytes: written,
      layers: [{ descriptor: layerDescriptor, diffID: diffID(0) }],
      manifests: [],
      platforms: [amd64],
    },
  );
});

test("resolving fetches no layer", async () => {
  const { source } = indexed([{ platform: amd64 }, { platform: arm64 }]);
  await resolve("x", { source, platform: "linux/arm64" });
  assert.deepEqual(source.fetched, ["x", ociManifest, ociConfig]);
});

test("a name that stands for an index is the image of the platform that is asked for", async () => {
  const { source, entries, index } = indexed([{ platform: amd64 }, { platform: arm64 }]);
  const image = await resolve("x", { source, platform: "linux/aarch64" });
  assert.equal(image.digest, entries[1]?.digest);
  assert.equal(image.indexDigest, digestOf(index));
  assert.deepEqual(image.platform, arm64);
});

test("R-36: the trail of decisions tells what is wanted, how each entry ranks, and what is taken", async () => {
  const { source, entries } = indexed([
    { platform: { os: "windows", architecture: "amd64" } },
    { platform: { os: "linux", architecture: "arm", variant: "v6" } },
    { platform: { os: "linux", architecture: "arm", variant: "v7" } },
    {},
    { platform: { os: "unknown", architecture: "unknown" } },
  ]);
  const told: string[] = [];
  await resolve("x", {
    ...{ source, platform: "linux/arm" },
    onEvent: (event) => {
      if (event.type === "decision" && event.topic === "platform") told.push(event.message);
    },
  });
  const [wanted, listed, taken] = told;
  assert.equal(wanted, "linux/arm is wanted; else linux/arm/v6, linux/arm/v5, in this order");
  assert.equal(
    listed,
    "the index lists windows/amd64 (will not do), linux/arm/v6 (choice 2), linux/arm/v7 (choice 1), " +
      "one without a platform (read if no other will do), 1 of no image",
  );
  assert.equal(taken, `linux/arm/v7 is taken: ${entries[2]?.digest}`);
  assert.equal(told.length, 3);
});

test("this machine's platform is the one that is wanted when none is", async () => {
  const architecture = { x64: "amd64", arm64: "arm64" }[os.arch()] ?? os.arch();
  const { source, entries } = indexed([
    { platform: { os: "linux", architecture: "s390" } },
    { platform: { os: "linux", architecture } },
  ]);
  const image = await resolve("x", { source });
  assert.equal(image.digest, entries[1]?.digest);
});

test("R-36: the best match is taken wherever it stands, the first among equals", async () => {
  const { source, entries } = indexed([
    { platform: { os: "linux", architecture: "arm", variant: "v5" } },
    { platform: { os: "linux", architecture: "arm", variant: "v7" }, note: "first" },
    { platform: { os: "linux", architecture: "arm", variant: "v6" } },
    { platform: { os: "linux", architecture: "arm", variant: "v7" }, note: "second" },
  ]);
  assert.equal((await resolve("x", { source, platform: "linux/arm" })).digest, entries[1]?.digest);
  assert.equal((await resolve("x", { source, platform: "linux/arm/v6" })).digest, entries[2]?.digest);
});

test("R-36: plain amd64 never takes a v3 entry", async () => {
  const v3 = { ...amd64, variant: "v3" };
  const { source, entries } = indexed([{ platform: v3 }, { platform: amd64 }]);
  assert.equal((await resolve("x", { source, platform: "linux/amd64" })).digest, entries[1]?.digest);
  assert.equal((await resolve("x", { source, platform: "linux/amd64/v3" })).digest, entries[0]?.digest);
  const { source: v3Only } = indexed([{ platform: v3 }]);
  assert.match(await refusal(v3Only, "PLATFORM_NOT_FOUND", { platform: "linux/amd64" }), /there is linux\/amd64\/v3$/);
});

test("R-37: a variant that was asked for has no substitute", async () => {
  const { source } = indexed([{ platform: { os: "linux", architecture: "arm", variant: "v6" } }]);
  const message = 'cannot find an image for linux/arm/v5 in "x": there is linux/arm/v6';
  assert.equal(await refusal(source, "PLATFORM_NOT_FOUND", { platform: "linux/arm/v5" }), message);
  await refusal(source, "PLATFORM_NOT_FOUND", { platform: "linux/arm/v7" });
});

test("R-36: attestations are never chosen, but listed", async () => {
  const { source, entries } = indexed([
    { platform: { os: "unknown", architecture: "unknown" } },
    { platform: amd64, annotations: { "vnd.docker.reference.type": "attestation-manifest" }, note: "attestation" },
    { platform: amd64, note: "image" },
  ]);
  const image = await resolve("x", { source, platform: "linux/amd64" });
  assert.equal(image.digest, entries[2]?.digest);
  assert.deepEqual(
    image.manifests.map(({ digest }) => digest),
    entries.map(({ digest }) => digest),
  );
});

test("R-36: where only attestations would match, there is no image", async () => {
  const unknown = { os: "unknown", architecture: "unknown" };
  const { source } = indexed([{ platform: unknown }]);
  for (const platform of ["linux/amd64", "unknown/unknown"]) {
    assert.match(await refusal(source, "PLATFORM_NOT_FOUND", { platform }), /it lists no image$/);
  }
});

test("R-36: an entry without a platform is not even read where another matches", async () => {
  const { source, entries } = indexed([{ config: amd64, note: "unstated" }, { platform: amd64 }]);
  const image = await resolve("x", { source, platform: "linux/amd64" });
  assert.equal(image.digest, entries[1]?.digest);
  assert.equal(source.fetched.length, 3);
});

test("R-36: entries without a platform are chosen by what their configs say", async () => {
  const v6 = { os: "linux", architecture: "arm", variant: "v6" };
  const v7 = { os: "linux", architecture: "arm", variant: "v7" };
  const { source, entries } = indexed([
    { platform: arm64 },
    { config: amd64 },
    { config: v6 },
    { config: v7 },
    { config: v7, note: "later" },
  ]);
  const image = await resolve("x", { source, platform: "linux/arm" });
  assert.equal(image.digest, entries[3]?.digest);
  assert.deepEqual(image.platform, v7);
  assert.equal(source.fetched.length, 1 + 3 * 2, "the last is not read: none can be better than the one before");
  assert.match(
    await refusal(source, "PLATFORM_NOT_FOUND", { platform: "linux/s390x" }),
    /there is linux\/arm64, linux\/amd64, linux\/arm\/v6, linux\/arm\/v7$/,
  );
});

test("R-36: of entries without a platform a lesser match will do, the best of them", async () => {
  const arm = (variant: string) => ({ config: { os: "linux", architecture: "arm", variant } });
  const { source, entries } = indexed([arm("v5"), arm("v6"), arm("v8"), { ...arm("v5"), note: "later" }]);
  assert.equal((await resolve("x", { source, platform: "linux/arm" })).digest, entries[1]?.digest);
});

test("R-36: the error lists each platform once, and not endlessly", async () => {
  const { source } = indexed([
    ...many(60, (variant) => ({ platform: { ...arm64, variant: `x${variant}` } })),
    { platform: amd64 },
    { platform: amd64 },
  ]);
  const message = await refusal(source, "PLATFORM_NOT_FOUND", { platform: "linux/s390x" });
  assert.match(message, /x48, linux\/arm64\/x49 and 11 more$/);
});

test("R-37: a manifest that is for another platform than the one asked for is refused", async () => {
  const source = new MemorySource();
  source.name("x", ociManifest, manifestOf(source, { config: arm64 }));
  const message = 'cannot find an image for linux/amd64 in "x": there is linux/arm64';
  assert.equal(await refusal(source, "PLATFORM_NOT_FOUND", { platform: "linux/amd64" }), message);
  assert.deepEqual((await resolve("x", { source, platform: { architecture: "arm64", os: "linux" } })).platform, arm64);
});

test("a manifest is taken for whatever platform it is where none was asked for", async () => {
  const source = new MemorySource();
  const platform = { os: "plan9", architecture: "mips" };
  source.name("x", ociManifest, manifestOf(source, { config: platform }));
  assert.deepEqual((await resolve("x", { source })).platform, platform);
});

test("an image that is for another platform than this machine's is taken with a warning, and one for this is not", async () => {
  const warningsOf = async (platform: typeof amd64, options: ResolveOptions = {}) => {
    const warnings: OciUnpackEvent[] = [];
    const onEvent = (event: OciUnpackEvent) => void (event.type === "warning" && warnings.push(event));
    const source = new MemorySource();
    source.name("x", ociManifest, manifestOf(source, { config: platform }));
    await resolve("x", { ...options, source, onEvent });
    return warnings;
  };
  const elsewhere = { os: "linux", architecture: os.arch() === "s390x" ? "amd64" : "s390x" };
  const [warning, ...others] = await warningsOf(elsewhere);
  assert.deepEqual([warning?.type === "warning" && warning.code, others], ["PLATFORM_DIFFERS", []]);
  assert.match(
    JSON.stringify(warning),
    new RegExp(`is for linux/${elsewhere.architecture}, and this machine is linux/`),
  );
  assert.deepEqual(await warningsOf(elsewhere, { platform: elsewhere }), []);
});

test("R-33: an index may lead to another, but not without end", async () => {
  const source = new MemorySource();
  const nested = (depth: number): WrittenDescriptor => {
    if (depth === 0) return source.add(ociManifest, manifestOf(source, { config: amd64 }));
    return source.add(ociIndex, { manifests: [nested(depth - 1)] });
  };
  source.name("x", ociIndex, { manifests: [nested(3)] });
  assert.deepEqual((await resolve("x", { source, platform: "linux/amd64" })).platform, amd64);
  assert.match(await refusal(source, "LIMIT_EXCEEDED", { limits: { indexDepth: 3 } }), /\(indexDepth\)$/);
  source.name("x", ociIndex, { manifests: [nested(4)] });
  await refusal(source, "LIMIT_EXCEEDED", {});
});

test("R-36: a nested index is searched like the one that lists it", async () => {
  const source = new MemorySource();
  const inner = (platform: object, note: string) => {
    const manifest = source.add(ociManifest, manifestOf(source, { config: platform, note }));
    return { ...source.add(ociIndex, { manifests: [{ ...manifest, platform }] }), manifest };
  };
  const [first, second] = [inner(amd64, "a"), inner(arm64, "b")];
  source.name("x", ociIndex, { manifests: [{ ...first, platform: amd64 }, second] });
  assert.equal((await resolve("x", { source, platform: "linux/amd64" })).digest, first.manifest.digest);
  const image = await resolve("x", { source, platform: "linux/arm64" });
  assert.equal(image.digest, second.manifest.digest);
  assert.deepEqual(
    image.manifests.map(({ digest }) => digest),
    [first.digest, second.digest, second.manifest.digest],
  );
});

test("R-33: no more than 64 manifests are fetched for one name", async () => {
  const { source } = indexed(many(100, (note) => ({ config: arm64, note })));
  await refusal(source, "LIMIT_EXCEEDED", { platform: "linux/amd64" });
  assert.equal(source.fetched.filter((mediaType) => mediaType !== ociConfig).length, 64);
});

test("R-33: no more than 64 manifests are read that stand in an index", async () => {
  const inline = (note: string) => {
    const source = new MemorySource();
    const manifest = Buffer.from(JSON.stringify(manifestOf(source, { config: arm64, note })));
    const descriptor = source.add(ociManifest, manifest);
    return { ...descriptor, data: manifest.toString("base64") };
  };
  const source = new MemorySource();
  manifestOf(source, { config: arm64 });
  source.name("x", ociIndex, { manifests: Array.from({ length: 100 }, (_, number) => inline(`${number}`)) });
  await refusal(source, "LIMIT_EXCEEDED", { platform: "linux/amd64" });
});

test("R-33: what an index lists again and again is read once", async () => {
  const source = new MemorySource();
  const wanted = source.add(ociManifest, manifestOf(source, { config: amd64 }));
  const other = source.add(ociManifest, manifestOf(source, { config: arm64 }));
  const others = Array.from({ length: 1000 }, () => other);
  const nested = source.add(ociIndex, { manifests: others });
  source.name("x", ociIndex, { manifests: [...others, ...Array.from({ length: 1000 }, () => nested), wanted] });
  assert.equal((await resolve("x", { source, platform: "linux/amd64" })).digest, wanted.digest);
  assert.equal(source.fetched.filter((mediaType) => mediaType !== ociConfig).length, 4);
});

test("R-33: what manifests and indexes take in memory is counted", async () => {
  const { source } = indexed(many(20, (note) => ({ config: arm64, note })));
  const limits = { memoryBytes: 20_000 };
  assert.match(await refusal(source, "LIMIT_EXCEEDED", { platform: "linux/amd64", limits }), /image's manifests/);
});

test("R-39: entries of unknown type are passed over", async () => {
  const source = new MemorySource();
  const strange = { ...source.add("application/vnd.example.unheard+json", "{}"), platform: amd64 };
  const artifact = { ...source.add(ociManifest, "{}"), platform: amd64, artifactType: "application/vnd.example.sbom" };
  const manifest = { ...source.add(ociManifest, manifestOf(source, { config: amd64 })), platform: amd64 };
  source.name("x", ociIndex, { manifests: [strange, artifact, manifest] });
  assert.equal((await resolve("x", { source, platform: "linux/amd64" })).digest, manifest.digest);
});

test("R-39: layers of unknown type are no obstacle to looking at an image", async () => {
  const source = new MemorySource();
  const encrypted = source.add("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "?");
  const layer = source.add("application/vnd.in-toto+json", "{}");
  const config = source.add(ociConfig, configOf(amd64, 2));
  source.name("x", ociManifest, { config, layers: [encrypted, layer] });
  const image = await resolve("x", { source });
  assert.equal(image.layers[1]?.descriptor.mediaType, "application/vnd.in-toto+json");
});

test("R-40: an artifact is said to be one, and its config is never fetched", async () => {
  const artifacts = [
    { type: "application/vnd.cncf.helm.config.v1+json" },
    { type: "application/vnd.oci.empty.v1+json", artifactType: "application/vnd.example.sbom" },
  ];
  for (const { type, artifactType } of artifacts) {
    const source = new MemorySource();
    source.name("x", ociManifest, { config: source.add(type, "not JSON"), layers: [], artifactType });
    assert.match(
      await refusal(source, "NOT_AN_IMAGE"),
      new RegExp(`artifact of type "${(artifactType ?? type).replace("+", "\\+")}"$`),
    );
    assert.deepEqual(source.fetched, ["x"]);
  }
});

test("R-40: an index's entry of the right platform may turn out to be an artifact too", async () => {
  const source = new MemorySource();
  const wasm = source.add(ociManifest, { config: source.add("application/vnd.wasm.config.v0+json", "{}"), layers: [] });
  source.name("x", ociIndex, { manifests: [{ ...wasm, platform: amd64 }] });
  await refusal(source, "NOT_AN_IMAGE", { platform: "linux/amd64" });
  source.name("x", ociIndex, { manifests: [wasm] });
  assert.match(await refusal(source, "NOT_AN_IMAGE", { platform: "linux/amd64" }), /artifact of type/);
});

test("S21: a config of a type that old registries invented is an image's", async () => {
  const source = new MemorySource();
  for (const mediaType of ["application/octet-stream", undefined]) {
    source.name("x", dockerManifest, { config: { ...source.add("", configOf(amd64, 0)), mediaType }, layers: [] });
    assert.deepEqual((await resolve("x", { source })).platform, amd64);
  }
});

test("R-34: by tag, the digest is that of the bytes", async () => {
  const source = new MemorySource();
  const manifest = Buffer.from(JSON.stringify(manifestOf(source, { config: amd64 })));
  source.name("x", ociManifest, manifest);
  assert.equal((await resolve("x", { source })).digest, digestOf(manifest));
});

test("R-34: by digest, the bytes must have it, in either algorithm", async () => {
  const source = new MemorySource();
  const manifest = Buffer.from(JSON.stringify(manifestOf(source, { config: amd64 })));
  const sha512 = new Hasher("sha512");
  sha512.update(manifest);
  const digest = sha512.digest();
  source.name("x", ociManifest, manifest, digest);
  assert.equal((await resolve("x", { source })).digest, digest);
  source.name("x", ociManifest, manifest, diffID(1));
  await refusal(source, "DIGEST_MISMATCH");
});

test("R-5: what nobody can verify is not accepted", async () => {
  const source = new MemorySource();
  const digest = parseDigest(`blake3:${"ab".repeat(32)}`);
  assert.ok(digest);
  source.name("x", ociManifest, manifestOf(source, { config: amd64 }), digest);
  await refusal(source, "UNSUPPORTED_DIGEST");
  source.name("x", ociManifest, { config: { mediaType: ociConfig, digest, size: 2 }, layers: [] });
  await refusal(source, "UNSUPPORTED_DIGEST");
});

test("R-34, security 20: a manifest must have the size and the digest that the index states", async () => {
  const { source, entries } = indexed([{ platform: amd64 }]);
  const entry = only(entries);
  source.corrupt(entry, "x".repeat(entry.size));
  await refusal(source, "DIGEST_MISMATCH", { platform: "linux/amd64" });
  source.corrupt(entry, "x".repeat(entry.size + 1));
  await refusal(source, "SIZE_MISMATCH", { platform: "linux/amd64" });
});

test("R-32: a manifest must be of the type that the index states", async () => {
  const source = new MemorySource();
  const silent = source.add(ociManifest, { config: source.add(ociConfig, configOf(amd64, 0)), layers: [] });
  source.name("x", ociIndex, { manifests: [{ ...silent, platform: amd64 }] });
  source.serveAs(silent, dockerManifest);
  const message = await refusal(source, "INVALID_MANIFEST", { platform: "linux/amd64" });
  assert.match(message, /its type is stated as ".*oci.*" and as ".*docker.*"$/);
  source.serveAs(silent, "application/octet-stream");
  assert.equal((await resolve("x", { source, platform: "linux/amd64" })).manifest.mediaType, ociManifest);
});

test("R-34: a config must have the size and the digest that the manifest states", async () => {
  const source = new MemorySource();
  const config = source.add(ociConfig, configOf(amd64, 0));
  source.name("x", ociManifest, { config, layers: [] });
  for (const [size, code] of [
    [0, "DIGEST_MISMATCH"],
    [1, "SIZE_MISMATCH"],
    [-1, "SIZE_MISMATCH"],
    [5000, "SIZE_MISMATCH"],
  ] as const) {
    source.corrupt(config, " ".repeat(config.size + size));
    await refusal(source, code);
  }
});

test("R-33: a config or manifest beyond its limit is refused before it is fetched", async () => {
  const { source } = indexed([{ platform: amd64 }]);
  assert.match(
    await refusal(source, "LIMIT_EXCEEDED", { limits: { configBytes: 10 }, platform: "linux/amd64" }),
    /\(configBytes\)$/,
  );
  assert.equal(source.fetched.includes(ociConfig), false);
  const huge = { mediaType: ociManifest, digest: diffID(0), size: 4 * 1024 * 1024 + 1, platform: amd64 };
  source.name("x", ociIndex, { manifests: [huge] });
  assert.match(await refusal(source, "LIMIT_EXCEEDED", { platform: "linux/amd64" }), /\(manifestBytes\)$/);
});

test("R-33: a document beyond its limit is not read, whatever the source let through", async () => {
  const source = new MemorySource();
  source.name("x", ociManifest, manifestOf(source, { config: amd64 }));
  assert.match(await refusal(source, "LIMIT_EXCEEDED", { limits: { manifestBytes: 100 } }), /\(manifestBytes\)$/);
});

test("R-41: inline content that is right is used, and nothing is fetched for it", async () => {
  const source = new MemorySource();
  const config = inline(ociConfig, configOf(amd64, 0));
  const manifest = inline(ociManifest, { config, layers: [] });
  source.name("x", ociIndex, { manifests: [{ ...manifest, platform: amd64 }] });
  const image = await resolve("x", { source, platform: "linux/amd64" });
  assert.deepEqual(image.platform, amd64);
  assert.deepEqual(source.fetched, ["x"]);
});

test("R-41: inline content of another digest or size is an error, in manifests, configs and layers", async () => {
  const source = new MemorySource();
  const config = { ...source.add(ociConfig, configOf(amd64, 1)) };
  const layer = source.add(ociLayer, "layer");
  const data = Buffer.from("other").toString("base64");
  const bad = (descriptor: object) => ({ ...descriptor, data });
  source.name("x", ociManifest, { config, layers: [bad(layer)] });
  await refusal(source, "DIGEST_MISMATCH");
  source.name("x", ociManifest, { config: bad(config), layers: [layer] });
  await refusal(source, "SIZE_MISMATCH");
  const manifest = source.add(ociManifest, { config, layers: [layer] });
  source.name("x", ociIndex, { manifests: [{ ...bad(manifest), platform: amd64 }] });
  await refusal(source, "SIZE_MISMATCH", { platform: "linux/amd64" });
});

test("R-42: a foreign layer is a layer like any other; its urls are only told", async () => {
  const source = new MemorySource();
  const foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
  const layer = { ...source.add(foreign, "layer"), urls: ["https://layers.test/1"] };
  source.name("x", ociManifest, { config: source.add(ociConfig, configOf(amd64, 1)), layers: [layer] });
  const image = await resolve("x", { source });
  assert.deepEqual(image.layers[0]?.descriptor, {
    mediaType: foreign,
    digest: layer.digest,
    sizeBytes: 5,
    urls: ["https://layers.test/1"],
  });
});

test("S13, S14, R-63: as many diffIDs as layers, or no image", async () => {
  for (const [layers, diffIDs] of [
    [2, 1],
    [1, 2],
    [2, 0],
    [0, 1],
  ] as const) {
    const source = new MemorySource();
    const config = source.add(ociConfig, configOf(amd64, diffIDs));
    source.name("x", ociManifest, { config, layers: many(layers, (note) => source.add(ociLayer, `layer ${note}`)) });
    const message = `cannot match the layers to their diffIDs: the manifest has ${layers}, its config states the diffIDs of ${diffIDs}`;
    assert.equal(await refusal(source, "INVALID_CONFIG"), message);
  }
});

test("S11: an image without layers is one", async () => {
  const source = new MemorySource();
  source.name("x", ociManifest, { config: source.add(ociConfig, configOf(amd64, 0)), layers: [] });
  assert.deepEqual((await resolve("x", { source })).layers, []);
});

test("more layers, or more bytes to download, than the limits allow are refused", async () => {
  const source = new MemorySource();
  const layers = many(3, (note) => source.add(ociLayer, `layer ${note}`));
  source.name("x", ociManifest, { config: source.add(ociConfig, configOf(amd64, 3)), layers });
  assert.match(await refusal(source, "LIMIT_EXCEEDED", { limits: { layers: 2 } }), /\(layers\)$/);
  assert.match(await refusal(source, "LIMIT_EXCEEDED", { limits: { downloadBytes: 20 } }), /\(downloadBytes\)$/);
  assert.equal((await resolve("x", { source, limits: { layers: 3, downloadBytes: 21 } })).layers.length, 3);
});

test("a layer that stands twice counts once as a download", async () => {
  const source = new MemorySource();
  const layer = source.add(ociLayer, "layer");
  source.name("x", ociManifest, { config: source.add(ociConfig, configOf(amd64, 2)), layers: [layer, layer] });
  assert.equal((await resolve("x", { source, limits: { downloadBytes: 5 } })).layers.length, 2);
});

test("R-63: a history of other layers than there are is a warning, and an error if strict", async () => {
  const source = new MemorySource();
  const history = [{ created_by: "a" }, { created_by: "b" }, { empty_layer: true }];
  source.name("x", ociManifest, {
    config: source.add(ociConfig, { ...configOf(amd64, 1), history }),
    layers: [source.add(ociLayer, "layer")],
  });
  const events: OciUnpackEvent[] = [];
  await resolve("x", { source, onEvent: (event) => events.push(event) });
  const message = "the history tells of 2 layers, there are 1";
  const warnings = events.filter(({ type }) => type === "warning");
  assert.deepEqual(warnings, [{ type: "warning", code: "HISTORY_DISAGREES", message }]);
  assert.equal(await refusal(source, "STRICT_VIOLATION", { strict: true }), `cannot accept the image: ${message}`);
});

test("an abort ends it with the signal's own reason", async () => {
  const { source } = indexed([{ platform: amd64 }]);
  const reason = new Error("enough");
  await assert.rejects(resolve("x", { source, signal: AbortSignal.abort(reason) }), (error) => error === reason);
  assert.deepEqual(source.fetched, []);

  const controller = new AbortController();
  const image = source.image("x");
  const aborting = {
    ...image,
    blob: (...parameters: Parameters<typeof image.blob>) => {
      controller.abort(reason);
      return image.blob(...parameters);
    },
  };
  const resolving = resolveImage(aborting, { platform: "linux/amd64", signal: controller.signal });
  await assert.rejects(resolving, (error) => error === reason);
});

test("a source that was given stays open", async () => {
  const { source } = indexed([{ platform: amd64 }]);
  await resolve("x", { source, platform: "linux/amd64" });
  assert.equal(source.isDisposed, false);
});

test("a platform that is none, or a name that nobody knows, is an error before anything is fetched", async () => {
  const { source } = indexed([{ platform: amd64 }]);
  await refusal(source, "INVALID_PLATFORM", { platform: "linux" });
  await assert.rejects(resolve("y", { source }), { code: "NOT_FOUND" });
  assert.deepEqual(source.fetched, []);
});

interface Listed {
  /** What the index states. */
  readonly platform?: object;
  /** What the config states, where the index states nothing. */
  readonly config?: object;
  readonly annotations?: object;
  /** Makes equal images different. */
  readonly note?: string | number;
}

/** A source whose "x" is an index. */
function indexed(images: readonly Listed[]) {
  const source = new MemorySource();
  const entries = images.map((listed) => {
    const descriptor = source.add(ociManifest, manifestOf(source, listed));
    return { ...descriptor, platform: listed.platform, annotations: listed.annotations };
  });
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: entries }));
  source.name("x", ociIndex, index);
  return { source, entries, index };
}

function manifestOf(source: MemorySource, { platform, config, note }: Listed): object {
  const annotations = { note: String(note) };
  const layers = [source.add(ociLayer, "layer")];
  return {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: source.add(ociConfig, configOf(config ?? platform ?? {}, 1)),
    layers,
    annotations,
  };
}

function configOf(platform: object, layers: number): object {
  return { ...platform, rootfs: { type: "layers", diff_ids: many(layers, diffID) } };
}

function inline(mediaType: string, content: object) {
  const bytes = Buffer.from(JSON.stringify(content));
  return { mediaType, digest: digestOf(bytes), size: bytes.length, data: bytes.toString("base64") };
}

function diffID(layer: number): Digest {
  return digestOf(Buffer.from(`archive ${layer}`));
}

function many<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function only<T>(items: readonly T[]): T {
  const [item] = items;
  assert.ok(item !== undefined && items.length === 1);
  return item;
}

/** The message with which resolving "x" fails. */
async function refusal(source: MemorySource, code: string, options: ResolveOptions = {}): Promise<string> {
  try {
    await resolve("x", { source, ...options });
  } catch (error) {
    if (isOciUnpackError(error) && error.code === code) return error.message;
    throw error;
  }
  return assert.fail("it was resolved");
}
