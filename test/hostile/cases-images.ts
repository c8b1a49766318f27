import assert from "node:assert/strict";
import { mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blobsOf, type Image, image, jsonBlob, stored } from "../support/image.ts";
import type { RegistryDouble } from "../support/registry-double.ts";
import { answer, type Fault, stating } from "../support/registry-reply.ts";
import { directory, file, symlink, tar } from "../support/tar-builder.ts";
import { contained, type HostileCase } from "./case.ts";

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const harmless = image([tar(file("a", "1"))]);

/** Class F: what would run, if anything in an image were ever run. */
const executed: readonly HostileCase[] = [
  contained("F", "programs and libraries that tools look for (CVE-2019-14271, CVE-2014-9357)", ({ outside }) => {
    const program = `#!/bin/sh\necho owned > ${outside}/secret\n`;
    const names = ["gzip", "unpigz", "zstd", "xz", "tar", "sh", "newuidmap", "node", "docker-credential-x"];
    return [
      tar(
        ...names.map((name) => file(`usr/bin/${name}`, program, { mode: 0o755 })),
        symlink("bin", "usr/bin"),
        file("etc/ld.so.preload", "/usr/lib/evil.so\n"),
        file("usr/lib/libnss_files.so.2", program, { mode: 0o755 }),
      ),
    ];
  }),
  {
    attack: "F",
    name: "a configuration that asks for the host (CVE-2024-21626, CVE-2026-53488)",
    outcome: "contained",
    serve: (registry, { outside }) => {
      const config = {
        WorkingDir: "/proc/self/fd/7/../../..",
        User: "../../../etc/passwd",
        Entrypoint: ["/bin/sh", "-c", `echo owned > ${outside}/secret`],
        Env: [`PATH=${outside}`, "LD_PRELOAD=/evil.so", "NODE_OPTIONS=--require=/evil.js"],
        Volumes: { "/../../../": {} },
        Labels: { "io.containers.run": `touch ${outside}/owned` },
      };
      return stored(registry, "hostile/image", image([tar(file("a", "1"))], { config: { config } }));
    },
  },
];

/** Class G: digests that are no digests. */
const digests: readonly HostileCase[] = [
  ...["sha256:../../../outside/secret", "sha256:/etc/passwd", "../../outside:secret", `sha256:${"0".repeat(63)}/`].map(
    (digest): HostileCase => ({
      attack: "G",
      name: `a layer's digest of ${digest.slice(0, 24)}`,
      outcome: "INVALID_MANIFEST",
      serve: (registry) => manifest(registry, { layers: [{ ...harmless.layers[0]?.descriptor, digest }] }),
      also: ({ registry }) => assertOnlyHonestPaths(registry),
    }),
  ),
  {
    attack: "G",
    name: "a configuration's digest that climbs (CVE-2024-3727)",
    outcome: "INVALID_MANIFEST",
    serve: (registry) =>
      manifest(registry, { config: { ...harmless.config.descriptor, digest: "sha256:../../../outside/secret" } }),
    also: ({ registry }) => assertOnlyHonestPaths(registry),
  },
  {
    attack: "G",
    name: "a digest of an algorithm that nobody can verify",
    outcome: "UNSUPPORTED_DIGEST",
    serve: (registry) =>
      manifest(registry, {
        layers: [{ ...harmless.layers[0]?.descriptor, digest: "md5:d41d8cd98f00b204e9800998ecf8427e" }],
      }),
  },
  {
    attack: "G",
    name: "a diffID that is a path",
    outcome: "INVALID_CONFIG",
    serve: (registry) =>
      stored(registry, "hostile/image", image([tar(file("a", "1"))], { diffIds: ["sha256:../../outside/secret"] })),
  },
  {
    attack: "G",
    name: "a registry that calls its answer by another digest",
    outcome: "contained",
    serve: (registry) => {
      registry.always(/\/manifests\//, stating({ "docker-content-digest": "sha256:../../outside/secret" }));
      return stored(registry, "hostile/image", harmless);
    },
  },
];

/** Classes A and G: archives and layouts on this machine, whose files are found by names that somebody else chose. */
const local: readonly HostileCase[] = [
  {
    attack: "A",
    name: "a docker archive whose layer is a link to a file outside",
    outcome: "NOT_FOUND",
    serve: (_registry, { directory: place, outside }) =>
      dockerArchive(place, "layer.tar", symlink("layer.tar", `${outside}/secret`)),
  },
  {
    attack: "A",
    name: "a docker archive whose layer is a link to itself",
    outcome: "INVALID_ARCHIVE",
    serve: (_registry, { directory: place }) => dockerArchive(place, "layer.tar", symlink("layer.tar", "layer.tar")),
  },
  {
    attack: "G",
    name: "a docker archive whose layer is named by an absolute path",
    outcome: "NOT_FOUND",
    serve: (_registry, { directory: place, outside }) => dockerArchive(place, `${outside}/secret`),
  },
  {
    attack: "G",
    name: "a docker archive whose layer is named by a path that climbs (CVE-2014-9358)",
    outcome: "NOT_FOUND",
    serve: (_registry, { directory: place }) => dockerArchive(place, "../../outside/secret"),
  },
  {
    attack: "A",
    name: "a layout whose blob is a link to a file outside, which is another file then",
    outcome: "INVALID_ARCHIVE",
    serve: (_registry, { directory: place, outside }) => {
      const blobs = `${place}/layout/blobs/sha256`;
      const [layer, ...others] = blobsOf(harmless).toReversed();
      mkdirSync(blobs, { recursive: true });
      for (const { bytes, descriptor } of others) writeFileSync(join(blobs, descriptor.digest.slice(7)), bytes);
      symlinkSync(`${outside}/secret`, join(blobs, layer?.descriptor.digest.slice(7) ?? ""));
      writeFileSync(`${place}/layout/oci-layout`, JSON.stringify({ imageLayoutVersion: "1.0.0" }));
      const index = { schemaVersion: 2, manifests: [harmless.manifest.descriptor] };
      writeFileSync(`${place}/layout/index.json`, JSON.stringify(index));
      return `oci:${place}/layout`;
    },
  },
];

/** Class H: documents without end. */
const documents: readonly HostileCase[] = [
  {
    attack: "H",
    name: "a manifest of five mebibytes (CVE-2020-1702)",
    outcome: "LIMIT_EXCEEDED",
    serve: (registry) => manifest(registry, { annotations: { x: "x".repeat(5 * 1024 * 1024) } }),
  },
  {
    attack: "H",
    name: "a configuration of five mebibytes",
    outcome: "LIMIT_EXCEEDED",
    serve: (registry) =>
      stored(registry, "hostile/image", image([], { config: { author: "x".repeat(5 * 1024 * 1024) } })),
  },
  {
    attack: "H",
    name: "a manifest of more layers than allowed",
    outcome: "LIMIT_EXCEEDED",
    serve: (registry) => stored(registry, "hostile/image", image(Array(1001).fill(tar(file("a", "1"))))),
  },
  {
    attack: "H",
    name: "an index that leads to an index, and so on",
    outcome: "LIMIT_EXCEEDED",
    serve: (registry) => {
      let next: object = harmless.manifest.descriptor;
      stored(registry, "hostile/image", harmless);
      for (let depth = 0; depth < 10; depth++) {
        const index = jsonBlob(indexType, {
          schemaVersion: 2,
          mediaType: indexType,
          manifests: [{ ...next, platform: harmless.platform }],
        });
        registry.addManifest("hostile/image", "latest", index.bytes, indexType);
        next = index.descriptor;
      }
      return `${registry.host}/hostile/image:latest`;
    },
  },
  {
    attack: "H",
    name: "a layer that states more bytes than anybody has",
    outcome: "LIMIT_EXCEEDED",
    serve: (registry) => manifest(registry, { layers: [{ ...harmless.layers[0]?.descriptor, size: 2 ** 50 }] }),
  },
  {
    attack: "H",
    name: "a document of brackets in brackets",
    outcome: "INVALID_MANIFEST",
    serve: (registry) => {
      registry.addManifest("hostile/image", "latest", `{"x":${"[".repeat(1_000_000)}`, manifestType);
      return `${registry.host}/hostile/image:latest`;
    },
  },
];

/** Class J: one document, two meanings. */
const confusions: readonly HostileCase[] = [
  {
    attack: "J",
    name: "a document that is a manifest and an index (CVE-2021-41190)",
    outcome: "INVALID_MANIFEST",
    serve: (registry) => manifest(registry, { manifests: [harmless.manifest.descriptor] }),
  },
  {
    attack: "J",
    name: "an index that is served as a manifest",
    outcome: "INVALID_MANIFEST",
    serve: (registry) => {
      const index = { schemaVersion: 2, mediaType: indexType, manifests: [harmless.manifest.descriptor] };
      registry.addManifest("hostile/image", "latest", index, manifestType);
      return `${registry.host}/hostile/image:latest`;
    },
  },
  {
    attack: "J",
    name: "a manifest that says everything twice",
    outcome: "INVALID_MANIFEST",
    serve: (registry) => {
      const honest = Buffer.from(harmless.manifest.bytes).toString();
      const twice = honest.replace(/}$/, `,"layers":[]}`);
      for (const { bytes } of [harmless.config, ...harmless.layers]) registry.addBlob(bytes);
      registry.addManifest("hostile/image", "latest", twice, manifestType);
      return `${registry.host}/hostile/image:latest`;
    },
  },
  {
    attack: "J",
    name: "a manifest with Layers beside its layers",
    outcome: "INVALID_MANIFEST",
    serve: (registry) => {
      const honest = Buffer.from(harmless.manifest.bytes).toString();
      const twice = honest.replace(/}$/, `,"Layers":[]}`);
      for (const { bytes } of [harmless.config, ...harmless.layers]) registry.addBlob(bytes);
      registry.addManifest("hostile/image", "latest", twice, manifestType);
      return `${registry.host}/hostile/image:latest`;
    },
  },
  {
    attack: "J",
    name: "a configuration that is a layer",
    outcome: "NOT_AN_IMAGE",
    serve: (registry) => manifest(registry, { config: harmless.layers[0]?.descriptor }),
  },
];

/** Class K: whom the command talks to. */
const elsewhere: readonly HostileCase[] = [
  {
    attack: "K",
    name: "a layer with further addresses, one of them a file (CVE-2020-15157)",
    outcome: "contained",
    serve: (registry, { outside }) =>
      manifest(registry, {
        layers: [{ ...harmless.layers[0]?.descriptor, urls: [`file://${outside}/secret`, `${registry.url}/steal`] }],
      }),
    also: ({ registry }) => assertOnlyHonestPaths(registry),
  },
  {
    attack: "K",
    name: "a redirect to a file",
    outcome: "POLICY_DENIED",
    serve: (registry, { outside }) => {
      registry.always(/\/blobs\//, answer(307, { location: `file://${outside}/secret` }));
      return stored(registry, "hostile/image", harmless);
    },
  },
];

/** Class L: who else may look. */
const visible: readonly HostileCase[] = [
  {
    ...contained("L", "a root and files that all may write to (CVE-2021-41091)", () => [
      tar(directory("./", { mode: 0o1777 }), file("a", "1", { mode: 0o666 })),
    ]),
    also: ({ place }) => assert.equal(statSync(place.target).mode & 0o7777, 0o700),
  },
  {
    attack: "L",
    name: "a moment, while layers arrive, in which others could look in",
    outcome: "contained",
    serve: (registry, { target }) => {
      const refuseIfVisible: Fault = (reply, request) =>
        (statSync(target).mode & 0o077) === 0 ? reply : answer(418)(reply, request);
      registry.always(/\/blobs\//, refuseIfVisible);
      return stored(registry, "hostile/image", harmless);
    },
  },
];

export const imageCases: readonly HostileCase[] = [
  ...executed,
  ...digests,
  ...local,
  ...documents,
  ...confusions,
  ...elsewhere,
  ...visible,
];

/** What `docker save` writes, with a layer of that name, and further entries. */
function dockerArchive(place: string, layerName: string, ...entries: readonly Uint8Array[]): string {
  const path = join(place, "image.tar");
  const manifest = [{ Config: "config.json", RepoTags: ["hostile/image:latest"], Layers: [layerName] }];
  const documents = [file("config.json", harmless.config.bytes), file("manifest.json", JSON.stringify(manifest))];
  writeFileSync(path, tar(...documents, ...entries));
  return `docker-archive:${path}`;
}

/** The harmless image with other things in its manifest. */
function manifest(registry: RegistryDouble, changes: object): string {
  const { config, layers }: Image = harmless;
  const honest = JSON.parse(Buffer.from(harmless.manifest.bytes).toString()) as object;
  for (const { bytes } of [config, ...layers]) registry.addBlob(bytes);
  registry.addManifest("hostile/image", "latest", { ...honest, ...changes }, manifestType);
  return `${registry.host}/hostile/image:latest`;
}

/** Nobody was asked for anything but manifests and blobs of this image. */
function assertOnlyHonestPaths(registry: RegistryDouble): void {
  const honest = /^\/v2\/(hostile\/image\/(manifests|blobs)\/[a-z0-9:]+)?$/;
  assert.deepEqual(
    registry.requests.map(({ path }) => path).filter((path) => !honest.test(path)),
    [],
  );
}
