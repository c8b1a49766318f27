import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { ErrorCode, UnpackOptions, WarningCode } from "../../src/index.ts";
import { type Blob, blob, type Image, image, imageIndex, jsonBlob, stored } from "../support/image.ts";
import type { RegistryDouble } from "../support/registry-double.ts";
import { drip, stating, withBody } from "../support/registry-reply.ts";
import { directory, file, tar, tarWithoutEnd, whiteout } from "../support/tar-builder.ts";
import { joined } from "../support/tar-header.ts";
import { gzipWithAllFields, zstdFrame, zstdSkippableFrame } from "./compressed.ts";
import { type ExpectedTree, is } from "./expected.ts";

/** A rule about images as registries serve them, as a case: this is served, that comes of it. */
export interface ImageRule {
  readonly rule: string;
  readonly claim: string;
  /** Puts something into a registry, tells it how to serve it, and gives the reference; or puts it into a directory. */
  readonly serve: (registry: RegistryDouble, directory: string) => string | Promise<string>;
  readonly options?: UnpackOptions;
  /** Prepares the target. */
  readonly before?: (directory: string) => void;
  readonly outcome: ExpectedTree | ErrorCode;
  readonly warnings?: readonly WarningCode[];
  /** Looks at what a listing does not tell. */
  readonly also?: (served: { readonly registry: RegistryDouble; readonly directory: string }) => void;
}

const archive = tar(file("a", "1"));
const outcome: ExpectedTree = { a: "1" };
const gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
const zstd = "application/vnd.oci.image.layer.v1.tar+zstd";
const plain = "application/vnd.oci.image.layer.v1.tar";
const junk = "neither gzip nor zstd";

/** Rules S4–S25 and D20 that a registry can break, and the rules T25 and M21 about the target. */
export const imageRules: readonly ImageRule[] = [
  {
    rule: "S1",
    claim: "an archive that ends with one zero block leaves the next one alone",
    serve: (registry) => {
      const shortEnd = (name: string) => joined(tarWithoutEnd(file(name, "1")), new Uint8Array(512));
      return stored(registry, "some/image", image([shortEnd("a"), shortEnd("b")]));
    },
    outcome: { a: "1", b: "1" },
  },
  {
    rule: "S2",
    claim: "a compressed layer that breaks off is an error",
    serve: (registry) => layer(registry, gzip, gzipSync(archive).subarray(0, -12)),
    outcome: "CORRUPT_LAYER",
  },
  {
    rule: "S4",
    claim: "zeros behind a gzip stream mean nothing",
    serve: (registry) => layer(registry, gzip, joined(gzipSync(archive), new Uint8Array(5000))),
    outcome,
  },
  {
    rule: "S4",
    claim: "other bytes behind a gzip stream are reported, and everything before them counts",
    serve: (registry) => layer(registry, gzip, joined(gzipSync(archive), junk)),
    outcome,
    warnings: ["TRAILING_BYTES"],
  },
  {
    rule: "S4",
    claim: "two bytes behind a gzip stream are reported, and the next layer is not taken for more of them",
    serve: (registry) => {
      const archives = [archive, tar(file("b", "2"))];
      const layers = archives.map((one) => blob(gzip, joined(gzipSync(one), "xy")));
      return store(registry, image(archives), { layers: layers.map(({ descriptor }) => descriptor), blobs: layers });
    },
    outcome: { a: "1", b: "2" },
    warnings: ["TRAILING_BYTES"],
  },
  {
    rule: "S4",
    claim: "other bytes behind a zstd stream are reported",
    serve: (registry) => layer(registry, zstd, joined(zstdFrame(archive), junk)),
    outcome,
    warnings: ["TRAILING_BYTES"],
  },
  {
    rule: "S5",
    claim: "gzip members are one stream",
    serve: (registry) => stored(registry, "some/image", image([archive], { encoding: "estargz" })),
    outcome,
  },
  {
    rule: "S5",
    claim: "zstd frames are one stream, those between them that are to be skipped left out",
    serve: (registry) =>
      layer(
        registry,
        zstd,
        joined(
          zstdFrame(archive.subarray(0, 700)),
          zstdSkippableFrame(new Uint8Array(100)),
          zstdFrame(archive.subarray(700)),
        ),
      ),
    outcome,
  },
  {
    rule: "S6",
    claim: "gzip members that arrive one byte at a time are one stream",
    serve: (registry) => {
      registry.always(/\/blobs\//, drip(1, 0));
      return layer(registry, gzip, joined(gzipSync(archive.subarray(0, 512)), gzipSync(archive.subarray(512))));
    },
    outcome,
  },
  {
    rule: "S6",
    claim: "a gzip member may end exactly where a piece of the download ends",
    serve: (registry) => {
      const first = gzipSync(archive.subarray(0, 512));
      registry.always(/\/blobs\//, drip(first.length, 5));
      return layer(registry, gzip, joined(first, gzipSync(archive.subarray(512))));
    },
    outcome,
  },
  {
    rule: "S7",
    claim: "a gzip header may have all its optional fields",
    serve: (registry) => layer(registry, gzip, gzipWithAllFields(archive)),
    outcome,
  },
  {
    rule: "S8",
    claim: "a zstd window of 128 MiB is accepted",
    serve: (registry) => layer(registry, zstd, zstdFrame(archive, 27)),
    outcome,
  },
  {
    rule: "S8",
    claim: "a zstd window of 256 MiB is more than an image may ask for",
    serve: (registry) => layer(registry, zstd, zstdFrame(archive, 28)),
    outcome: "LIMIT_EXCEEDED",
  },
  {
    rule: "S9",
    claim: "a layer of no bytes is an empty layer",
    serve: (registry) => layer(registry, plain, new Uint8Array(0), new Uint8Array(0)),
    outcome: {},
  },
  {
    rule: "S9",
    claim: "a layer of no bytes is an empty layer whatever its media type says, and the next one counts",
    serve: (registry) => {
      const blobs = [blob(gzip, new Uint8Array(0)), blob(gzip, gzipSync(archive))];
      const described = image([new Uint8Array(0), archive]);
      return store(registry, described, { layers: blobs.map(({ descriptor }) => descriptor), blobs });
    },
    outcome,
  },
  {
    rule: "S10",
    claim: "docker's empty layer changes nothing",
    serve: (registry) => layer(registry, gzip, gzipSync(new Uint8Array(1024)), new Uint8Array(1024)),
    outcome: {},
  },
  {
    rule: "S11",
    claim: "an image without layers is an empty root",
    serve: (registry) => stored(registry, "some/image", image([])),
    outcome: {},
  },
  ...Object.entries({ plain, zstd }).map(([name, mediaType]) => ({
    rule: "S12",
    claim: `a gzip layer whose media type says ${name} is recognised, and reported`,
    serve: (registry: RegistryDouble) => layer(registry, mediaType, gzipSync(archive)),
    outcome,
    warnings: ["MEDIA_TYPE_DISAGREES" as const],
  })),
  {
    rule: "S12",
    claim: "a plain layer whose media type says gzip is recognised, and reported",
    serve: (registry) => layer(registry, gzip, archive),
    outcome,
    warnings: ["MEDIA_TYPE_DISAGREES"],
  },
  {
    rule: "S13",
    claim: "an image with more layers than diffIDs is refused before a layer is downloaded",
    serve: (registry) => stored(registry, "some/image", image([archive, archive], { diffIds: [digest(archive)] })),
    outcome: "INVALID_CONFIG",
    also: ({ registry }) => assertNoLayerAsked(registry),
  },
  {
    rule: "S14",
    claim: "an image with layers and no diffIDs is refused before a layer is downloaded",
    serve: (registry) => stored(registry, "some/image", image([archive], { diffIds: [] })),
    outcome: "INVALID_CONFIG",
    also: ({ registry }) => assertNoLayerAsked(registry),
  },
  {
    rule: "S15",
    claim: "a blob that is longer than its descriptor says is an error",
    serve: (registry) => {
      registry.always(/\/blobs\//, layersOnly(withBody((body) => joined(body, "x"))));
      return layer(registry, gzip, gzipSync(archive));
    },
    outcome: "SIZE_MISMATCH",
  },
  {
    rule: "S15",
    claim: "a blob that is shorter than its descriptor says is an error",
    serve: (registry) =>
      manifested(registry, [blob(gzip, gzipSync(archive))], ({ descriptor }) => ({
        ...descriptor,
        size: descriptor.size + 1,
      })),
    outcome: "SIZE_MISMATCH",
  },
  {
    rule: "S16",
    claim: "a digest that is a path is refused before anybody is asked for it",
    serve: (registry) =>
      manifested(registry, [blob(gzip, gzipSync(archive))], ({ descriptor }) => ({
        ...descriptor,
        digest: "sha256:../../../../etc/passwd",
      })),
    outcome: "INVALID_MANIFEST",
    also: ({ registry }) => assertNoLayerAsked(registry),
  },
  {
    rule: "S16",
    claim: "a sha256 digest of other than 64 lower-case digits is refused",
    serve: (registry) =>
      manifested(registry, [blob(gzip, gzipSync(archive))], ({ descriptor }) => ({
        ...descriptor,
        digest: descriptor.digest.toUpperCase().replace("SHA256", "sha256"),
      })),
    outcome: "INVALID_MANIFEST",
  },
  {
    rule: "S20",
    claim: "of two images for one platform the first in the index is taken",
    serve: (registry) => {
      const images = [image([archive]), image([tar(file("b", "2"))])];
      for (const one of images) stored(registry, "some/image", one);
      registry.addManifest("some/image", "latest", imageIndex(images).bytes, imageIndex(images).descriptor.mediaType);
      return `${registry.host}/some/image:latest`;
    },
    options: { platform: "linux/amd64" },
    outcome,
  },
  {
    rule: "S21",
    claim: "a configuration of an unknown media type is accepted where it is one",
    serve: (registry) => manifested(registry, [blob(gzip, gzipSync(archive))], undefined, "application/octet-stream"),
    outcome,
  },
  {
    rule: "S22",
    claim: "a layer that the manifest itself contains need not be downloaded",
    serve: (registry) =>
      manifested(registry, [blob(gzip, gzipSync(archive))], ({ descriptor, bytes }) => ({
        ...descriptor,
        data: Buffer.from(bytes).toString("base64"),
      })),
    outcome,
    also: ({ registry }) => assertNoLayerAsked(registry),
  },
  {
    rule: "S22",
    claim: "a layer that the manifest contains with another digest is an error",
    serve: (registry) =>
      manifested(registry, [blob(gzip, gzipSync(archive))], ({ descriptor, bytes }) => ({
        ...descriptor,
        data: Buffer.from(bytes).reverse().toString("base64"),
      })),
    outcome: "DIGEST_MISMATCH",
  },
  {
    rule: "S23",
    claim: "a layer's further addresses are never contacted",
    serve: (registry) =>
      manifested(registry, [blob(gzip, gzipSync(archive))], ({ descriptor }) => ({
        ...descriptor,
        mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        urls: [`${registry.url}/foreign`, "file:///etc/passwd"],
      })),
    outcome,
    also: ({ registry }) => assert.ok(registry.requests.every(({ path }) => path !== "/foreign")),
  },
  {
    rule: "S25",
    claim: "a blob is asked for as it is",
    serve: (registry) => layer(registry, gzip, gzipSync(archive)),
    outcome,
    also: ({ registry }) => {
      const blobs = registry.requests.filter(({ path }) => path.includes("/blobs/"));
      assert.deepEqual(new Set(blobs.map(({ headers }) => headers["accept-encoding"])), new Set(["identity"]));
    },
  },
  {
    rule: "S25",
    claim: "a layer is not decompressed because a registry calls its compression a content encoding",
    serve: (registry) => {
      registry.always(/\/blobs\//, layersOnly(stating({ "content-encoding": "gzip" })));
      return layer(registry, gzip, gzipSync(archive));
    },
    outcome,
  },
  {
    rule: "W28",
    claim: "a layer that stands twice in an image is downloaded once and applied twice",
    serve: (registry) => {
      const twice = tar(file("a", "1"), file("b", "1"));
      return stored(registry, "some/image", image([twice, tar(file("a", "2"), whiteout("b")), twice]));
    },
    outcome: { a: "1", b: "1" },
    also: ({ registry }) => {
      const paths = registry.requests.map(({ path }) => path).filter((path) => path.includes("/blobs/"));
      assert.equal(new Set(paths).size, paths.length, "no blob was asked for twice");
    },
  },
  {
    rule: "T25",
    claim: "a target that is not empty is refused, and stays as it is",
    serve: (registry) => layer(registry, gzip, gzipSync(archive)),
    before: (directory) => {
      mkdirSync(directory);
      writeFileSync(join(directory, "mine"), "1");
    },
    outcome: "TARGET_NOT_EMPTY",
    also: ({ directory }) => assert.deepEqual(readdirSync(directory), ["mine"]),
  },
  {
    rule: "T25",
    claim: "what fails leaves no target behind",
    serve: (registry) => layer(registry, gzip, gzipSync(tar(file("a", "1"), file("../x", "1")))),
    outcome: "ENTRY_REFUSED",
    also: ({ directory }) => assert.deepEqual(readdirSync(dirname(directory)), []),
  },
  {
    rule: "M21",
    claim: "the directory that is made for an image is for its owner only, whatever the image says of its root",
    serve: (registry) => layer(registry, gzip, gzipSync(tar(directory("./", { mode: 0o777 }), file("a", "1")))),
    outcome: { ".": is.directory({ mode: 0o777 }), a: "1" },
    also: ({ directory }) => assert.equal(statSync(directory).mode & 0o7777, 0o700),
  },
  {
    rule: "D20",
    claim: "what stands behind the end counts for the digests, and is never unpacked",
    serve: (registry) => stored(registry, "some/image", image([joined(archive, tar(file("b", "2")))])),
    outcome,
    warnings: ["TRAILING_BYTES"],
  },
];

/** An image of one layer, stored as given. Its archive is what these bytes decompress to, unless it is given as well. */
function layer(
  registry: RegistryDouble,
  mediaType: string,
  bytes: Uint8Array,
  decompressed = archiveOf(bytes),
): string {
  const one = blob(mediaType, bytes);
  const described = image([decompressed]);
  return store(registry, described, { layers: [one.descriptor], blobs: [one] });
}

/** An image whose layers are described as one likes. */
function manifested(
  registry: RegistryDouble,
  blobs: readonly Blob[],
  describe: (blob: Blob) => object = ({ descriptor }) => descriptor,
  configType?: string,
): string {
  const described = image(blobs.map(({ bytes }) => archiveOf(bytes)));
  return store(registry, described, { layers: blobs.map(describe), blobs, ...(configType && { configType }) });
}

interface Manifested {
  readonly layers: readonly object[];
  readonly blobs: readonly Blob[];
  readonly configType?: string;
}

function store(registry: RegistryDouble, { config }: Image, { layers, blobs, configType }: Manifested): string {
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const described = { ...config.descriptor, ...(configType && { mediaType: configType }) };
  const manifest = jsonBlob(mediaType, { schemaVersion: 2, mediaType, config: described, layers });
  for (const { bytes } of [config, ...blobs]) registry.addBlob(bytes);
  registry.addManifest("some/image", "latest", manifest.bytes, mediaType);
  return `${registry.host}/some/image:latest`;
}

/** What compressed bytes hold, where Node can tell; the rules' one archive where it cannot. */
function archiveOf(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch {
    return archive;
  }
}

function digest(bytes: Uint8Array): string {
  return blob("", bytes).descriptor.digest;
}

/** A fault that spares the configuration, which is told by its first byte. */
function layersOnly(fault: ReturnType<typeof withBody>): ReturnType<typeof withBody> {
  return (reply, request) => (reply.body[0] === "{".charCodeAt(0) ? reply : fault(reply, request));
}

/** Manifest and configuration may be asked for, nothing else. */
function assertNoLayerAsked(registry: RegistryDouble): void {
  const asked = registry.requests.filter(({ path }) => path.includes("/blobs/"));
  assert.ok(asked.length <= 1, "no more than the configuration was asked for");
}
