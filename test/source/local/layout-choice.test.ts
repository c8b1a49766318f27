import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { resolve } from "../../../src/look/resolve.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { localSource } from "../../../src/source/local/local-source.ts";
import { image } from "../../support/image.ts";
import { writeImageLayout } from "../../support/image-layout.ts";
import { sampleLayers } from "../../support/sample-layers.ts";
import { type Scratch, scratch } from "../../support/scratch.ts";

const refName = "org.opencontainers.image.ref.name";
const amd64 = image(sampleLayers());
const arm64 = image(sampleLayers().slice(1), { platform: { os: "linux", architecture: "arm64" } });

/** Makes a layout of both images whose index lists these entries. */
async function layoutOf(entries: readonly object[]): Promise<Scratch & { readonly path: string }> {
  const place = await scratch();
  const path = join(place.directory, "layout");
  await writeImageLayout(path, [{ tag: "all", images: [amd64, arm64] }]);
  await writeFile(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: entries }));
  return Object.assign(place, { path });
}

/** The digest of what a name stands for in a layout whose index lists these entries. */
async function chosen(entries: readonly object[], name = ""): Promise<string> {
  await using place = await layoutOf(entries);
  await using source = localSource();
  return (await resolve(`oci:${place.path}${name}`, { source, platform: "linux/amd64" })).digest;
}

test("S19: what is stored beside an image is none of those that one may choose", async () => {
  const beside = arm64.manifest.descriptor;
  const entries = [
    { ...amd64.manifest.descriptor, annotations: { [refName]: "1.0" } },
    { ...beside, annotations: { [refName]: `${beside.digest.replace(":", "-")}.sig` } },
    { ...beside, artifactType: "application/vnd.dev.sigstore.bundle.v0.3+json" },
  ];
  await assert.rejects(chosen(entries, ":2.0"), { code: "NOT_FOUND", hint: "append one of these: :1.0" });
});

test("S19: of many images that one may choose the first are named, and how many more there are", async () => {
  const entries = Array.from({ length: 25 }, (_, number) => ({
    ...amd64.manifest.descriptor,
    annotations: { [refName]: `v${number}` },
  }));
  await assert.rejects(chosen(entries, ":2.0"), { code: "NOT_FOUND", hint: /:v0, :v1, .*, :v19 and 5 more$/ });
});

test("S19: a layout with one artifact alone needs no name, as one with one image does not", async () => {
  const artifactType = "application/vnd.example";
  const entries = [
    { ...amd64.manifest.descriptor, artifactType, annotations: { [refName]: "v1" } },
    { ...arm64.manifest.descriptor, artifactType },
  ];
  assert.equal(await chosen(entries), amd64.manifest.descriptor.digest);
  assert.equal(await chosen(entries.slice(0, 1)), amd64.manifest.descriptor.digest);
});

test("S19: what cosign save writes is its image, and what is beside it is found by the tags of a registry", async () => {
  const kind = (name: string) => ({ annotations: { kind: `dev.cosignproject.cosign/${name}` } });
  const image = amd64.manifest.descriptor;
  const entries = [
    { ...image, ...kind("image") },
    { ...arm64.manifest.descriptor, ...kind("sigs") },
  ];
  assert.equal(await chosen(entries), image.digest);
  await using place = await layoutOf(entries);
  await using source = localSource();
  const { attachments } = source.image(`oci:${place.path}`);
  const tagged = async (digest: string, ending: string) => {
    const document = await attachments?.tagged?.(`${digest.replace(":", "-")}${ending}`);
    return document && digestOf(document.bytes);
  };
  assert.equal(await tagged(image.digest, ".sig"), arm64.manifest.descriptor.digest);
  assert.equal(await tagged(image.digest, ".att"), undefined);
  assert.equal(await tagged(arm64.manifest.descriptor.digest, ".sig"), undefined);
});

test("S19: of several images with one name none is taken, and the names are told that only one has", async () => {
  const entries = (name: object, otherName: object) => [
    { ...amd64.manifest.descriptor, annotations: { [refName]: "1", ...name } },
    { ...arm64.manifest.descriptor, annotations: { [refName]: "1", ...otherName } },
  ];
  const containerd = (name: string) => ({ "io.containerd.image.name": name });
  const saved = entries(containerd("docker.io/library/app:1"), containerd("docker.io/library/web:1"));
  const hint = "append one of these: :docker.io/library/app:1, :docker.io/library/web:1";
  await assert.rejects(chosen(saved, ":1"), { code: "NOT_FOUND", message: /: more than one is "1"$/, hint });
  await assert.rejects(chosen(saved), { code: "NOT_FOUND", hint });
  const { digest } = amd64.manifest.descriptor;
  assert.equal(await chosen(saved, ":docker.io/library/app:1"), digest);
  const alike = entries({}, {});
  const byDigest = `append one of these: @${digest}, @${arm64.manifest.descriptor.digest}`;
  await assert.rejects(chosen(alike, ":1"), { code: "NOT_FOUND", hint: byDigest });
  assert.equal(await chosen(alike, `@${digest}`), digest);
  const twice = saved.slice(0, 1);
  assert.equal(await chosen([...twice, ...twice], ":1"), digest);
});
