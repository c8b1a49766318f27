import assert from "node:assert/strict";
import { test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { defaultLimits } from "../../src/base/limits.ts";
import { artifactFiles } from "../../src/image/artifact-files.ts";
import { inspect, type ResolveOptions, resolve } from "../../src/index.ts";
import { descriptorFrom } from "../../src/oci/descriptor.ts";
import { digestOf, encodedOf } from "../../src/oci/digest.ts";
import type { Manifest } from "../../src/oci/document.ts";
import { JsonValue } from "../../src/oci/json-value.ts";
import { mediaTypes } from "../../src/oci/media-type.ts";
import { MemorySource } from "../support/memory-source.ts";

const { ociManifest, ociIndex, ociConfig, empty } = mediaTypes;
const title = "org.opencontainers.image.title";
const filePath = "org.cncf.model.filepath";
const unpacked = { "io.deis.oras.content.unpack": "true" };
const ociLayer = "application/vnd.oci.image.layer.v1.tar+gzip";

interface Layer {
  readonly mediaType?: string;
  readonly content?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function manifestOf(layers: readonly Layer[]): Manifest {
  const described = layers.map(({ mediaType = "application/x-file", content = "x", annotations }) => {
    const json = { mediaType, digest: digestOf(Buffer.from(content)), size: content.length, annotations };
    return descriptorFrom(JsonValue.parse(Buffer.from(JSON.stringify(json)), "descriptor", "INVALID_MANIFEST"));
  });
  const config = { mediaType: empty, digest: digestOf(Buffer.from("{}")), sizeBytes: 2 };
  return { kind: "manifest", mediaType: ociManifest, config, layers: described };
}

function filesOf(...layers: readonly Layer[]): readonly string[] {
  return artifactFiles(manifestOf(layers), { ...defaultLimits, pathDepth: 3 }).map(({ name, form, compression }) =>
    form === "file" ? name : `${name} (${compression ?? "?"})`,
  );
}

function named(name: string): Layer {
  return { annotations: { [title]: name } };
}

test("layers are named by their titles, ModelPack's paths, or the digits of their digests", () => {
  const digits = encodedOf(digestOf(Buffer.from("x")));
  assert.deepEqual(
    filesOf(
      named("one.txt"),
      named("./deep//down/two.bin"),
      { annotations: { [filePath]: "model/weights.bin", [title]: "weights.bin" } },
      {},
      {},
      named(".wh.one.txt"),
      named("größe"),
    ),
    ["one.txt", "deep/down/two.bin", "model/weights.bin", digits, ".wh.one.txt", "größe"],
  );
});

test("a layer is an archive where oras or ModelPack say so, and nowhere else", () => {
  const model = "application/vnd.cncf.model";
  assert.deepEqual(
    filesOf(
      { mediaType: ociLayer, annotations: { [title]: "a", ...unpacked } },
      { mediaType: "application/x-tar", annotations: { [title]: "b", ...unpacked } },
      { mediaType: ociLayer, annotations: { [title]: "c" } },
      { mediaType: ociLayer, annotations: { [title]: "d", "io.deis.oras.content.unpack": "false" } },
      { mediaType: `${model}.weight.v1.raw`, annotations: { [filePath]: "e" } },
      { mediaType: `${model}.weight.v1.tar`, annotations: { [filePath]: "f" } },
      { mediaType: `${model}.code.v1.tar+gzip`, annotations: { [filePath]: "g" } },
      { mediaType: `${model}.dataset.v1.tar+zstd`, annotations: { [filePath]: "h" } },
      { mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", annotations: { [title]: "i" } },
    ),
    ["a (gzip)", "b (?)", "c", "d", "e", "f (none)", "g (gzip)", "h (zstd)", "i"],
  );
});

const refused: Readonly<Record<string, readonly string[]>> = {
  "a name that leads upwards": ["../x"],
  "a name that leads upwards and back": ["a/../b"],
  "an absolute name": ["/etc/passwd"],
  "a name of nothing": ["./"],
  "a NUL byte in a name": ["a\0b"],
  "a name that no file system stores": ["a".repeat(256)],
  "a path of too many names": ["a/b/c/d"],
  "a name that two layers have": ["a", "b", "./a"],
  "a name below that of another layer": ["a", "a/b"],
  "a name above that of another layer": ["a/b", "a"],
};

for (const [what, names] of Object.entries(refused)) {
  test(`${what} is refused before anything is fetched`, () => {
    assert.throws(
      () => filesOf(...names.map(named)),
      (error) => isOciUnpackError(error, what.includes("too many") ? "LIMIT_EXCEEDED" : "ENTRY_REFUSED"),
    );
  });
}

/** What `inspect` takes a manifest for. */
async function kindOf(config: string, layers: readonly string[], artifactType?: string): Promise<string> {
  const source = new MemorySource();
  const content = JSON.stringify({
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: layers.map(() => digestOf(Buffer.from(""))) },
  });
  source.name("x", ociManifest, {
    config: source.add(config, content),
    layers: layers.map((type) => source.add(type, type)),
    artifactType,
  });
  const inspected = await inspect("x", { source, platform: "linux/amd64" });
  return inspected.kind === "image" ? "image" : inspected.artifactType;
}

test("a manifest is an image by its config and by layers of which one at least is of files", async () => {
  const signature = "application/vnd.dev.cosign.simplesigning.v1+json";
  const sbom = "text/spdx+json";
  assert.deepEqual(
    await Promise.all([
      kindOf(ociConfig, []),
      kindOf(ociConfig, [ociLayer], "application/vnd.example"),
      kindOf(mediaTypes.dockerConfig, ["application/vnd.docker.image.rootfs.diff.tar.gzip"]),
      kindOf(ociConfig, [`${ociLayer}+encrypted`]),
      kindOf(ociConfig, [ociLayer, signature]),
      kindOf(ociConfig, [signature]),
      kindOf(ociConfig, [sbom]),
      kindOf(empty, [ociLayer], "application/vnd.example"),
      kindOf("application/vnd.cncf.helm.config.v1+json", ["application/vnd.cncf.helm.chart.content.v1.tar+gzip"]),
    ]),
    [
      "image",
      "image",
      "image",
      "image",
      "image",
      signature,
      sbom,
      "application/vnd.example",
      "application/vnd.cncf.helm.config.v1+json",
    ],
  );
});

test("an index of artifacts gives the one for the platform, or the only one that there is", async () => {
  const source = new MemorySource();
  const artifact = (text: string) => {
    const layer = { ...source.add("text/plain", text), annotations: { [title]: text } };
    return source.add(ociManifest, { config: source.add(empty, "{}"), layers: [layer], artifactType: "text/plain" });
  };
  const files = async (manifests: readonly object[], options: ResolveOptions = {}) => {
    source.name("x", ociIndex, { manifests });
    const inspected = await inspect("x", { source, platform: "linux/arm64", ...options });
    return inspected.kind === "artifact" ? inspected.files.map(({ name }) => name) : [];
  };
  const [amd64, arm64] = ["amd64", "arm64"].map((architecture) => {
    return { ...artifact(architecture), artifactType: "text/plain", platform: { os: "linux", architecture } };
  });
  const [one, other] = [artifact("one"), artifact("other")];
  assert.ok(amd64 && arm64);
  assert.deepEqual(await files([amd64, arm64, one]), ["arm64"]);
  assert.deepEqual(await files([one, amd64]), ["one"]);
  await assert.rejects(files([amd64]), { code: "PLATFORM_NOT_FOUND", message: /there is linux\/amd64$/ });
  await assert.rejects(files([one, other]), { code: "PLATFORM_NOT_FOUND", hint: new RegExp(one.digest) });
  await assert.rejects(resolve("x", { source }), { code: "PLATFORM_NOT_FOUND" });
});
