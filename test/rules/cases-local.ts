import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Image, image, imageIndex } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { file, symlink, tar, whiteout } from "../support/tar-builder.ts";
import type { ImageRule } from "./cases-images.ts";

const bottom = tar(file("a", "1"), file("b", "1"));
const top = tar(file("a", "2"), whiteout("b"));
const outcome = { a: "2" };

/** Rules S17–S19: images that lie on this machine, as `docker save` writes them or as layouts. */
export const localRules: readonly ImageRule[] = [
  {
    rule: "S17",
    claim: "a docker archive is read whatever the order of its files",
    serve: (_registry, place) => archive(place, tar(...dockerFiles([bottom, top]).toReversed())),
    outcome,
  },
  {
    rule: "S17",
    claim: "a docker archive's layer may be a link to another one's file",
    serve: (_registry, place) => {
      const { config, ids, manifest } = described([bottom, top, bottom]);
      const [first = "", second = "", third = ""] = ids;
      return archive(
        place,
        tar(
          symlink(`${third}/layer.tar`, `../${first}/layer.tar`),
          file(`${first}/layer.tar`, bottom),
          file(`${second}/layer.tar`, top),
          config,
          manifest,
        ),
      );
    },
    outcome: { a: "1", b: "1" },
  },
  {
    rule: "S17",
    claim: "a docker archive's link leads nowhere but into the archive",
    serve: (_registry, place) => {
      const { config, ids, manifest } = described([bottom]);
      writeFileSync(join(place, "outside.tar"), bottom);
      return archive(place, tar(symlink(`${ids[0]}/layer.tar`, join(place, "outside.tar")), config, manifest));
    },
    outcome: "NOT_FOUND",
  },
  {
    rule: "S17",
    claim: "a docker archive may be compressed as a whole, and its layers each",
    serve: (_registry, place) =>
      archive(
        place,
        gzipSync(
          tar(
            ...dockerFiles(
              [bottom, top].map((layer) => gzipSync(layer)),
              [bottom, top],
            ),
          ),
        ),
      ),
    outcome,
  },
  {
    rule: "S18",
    claim: "an archive that is docker's and a layout is read where both mean the same image",
    serve: (_registry, place) => archive(place, hybrid(image([bottom, top]), image([bottom, top]))),
    outcome,
  },
  {
    rule: "S18",
    claim: "an archive that is docker's and a layout is refused where they mean two images",
    serve: (_registry, place) => archive(place, hybrid(image([bottom, top]), image([bottom]))),
    outcome: "INVALID_MANIFEST",
  },
  {
    rule: "S19",
    claim: "a layout's only image needs no name",
    serve: (_registry, place) => layout(place, [{ tag: "x", images: [image([bottom, top])] }]),
    outcome,
  },
  {
    rule: "S19",
    claim: "a layout's images are told apart by their names",
    serve: async (_registry, place) =>
      `${await layout(place, [
        { tag: "one", images: [image([bottom])] },
        { tag: "two", images: [image([bottom, top])] },
      ])}:two`,
    outcome,
  },
  {
    rule: "S19",
    claim: "a layout of several images, none of which was named, is refused",
    serve: (_registry, place) =>
      layout(place, [
        { tag: "one", images: [image([bottom])] },
        { tag: "two", images: [image([bottom, top])] },
      ]),
    outcome: "NOT_FOUND",
  },
  {
    rule: "S19",
    claim: "a layout's name may stand for an index",
    serve: (_registry, place) => {
      const images = [image([bottom, top])];
      return layout(place, [{ tag: "x", images, index: imageIndex(images) }]);
    },
    outcome,
  },
];

async function layout(place: string, names: Parameters<typeof writeImageLayout>[1]): Promise<string> {
  const directory = join(place, "layout");
  mkdirSync(directory);
  await writeImageLayout(directory, names);
  return `oci:${directory}`;
}

function archive(place: string, bytes: Uint8Array): string {
  const path = join(place, "image.tar");
  writeFileSync(path, bytes);
  return `docker-archive:${path}`;
}

/** The files of what `docker save` wrote before it wrote layouts. */
function dockerFiles(layers: readonly Uint8Array[], archives = layers): Uint8Array[] {
  const { config, ids, manifest } = described(archives);
  return [config, manifest, ...layers.map((layer, index) => file(`${ids[index]}/layer.tar`, layer))];
}

/** The two documents, and the folder of each layer. */
function described(archives: readonly Uint8Array[]): { config: Uint8Array; manifest: Uint8Array; ids: string[] } {
  const { config } = image(archives);
  const ids = archives.map((_, index) => String(index).repeat(64));
  const name = `sha256:${config.descriptor.digest.slice(7)}`;
  const Layers = ids.map((id) => `${id}/layer.tar`);
  const manifest = JSON.stringify([{ Config: name, RepoTags: ["some/image:latest"], Layers }]);
  return { config: file(name, config.bytes), manifest: file("manifest.json", manifest), ids };
}

/** What docker 25 writes: `manifest.json` means one image, `index.json` says another, perhaps the same. */
function hybrid(docker: Image, oci: Image): Uint8Array {
  const path = (digest: string) => `blobs/${digest.replace(":", "/")}`;
  const Layers = docker.layers.map(({ descriptor }) => path(descriptor.digest));
  const manifest = [{ Config: path(docker.config.descriptor.digest), RepoTags: ["some/image:latest"], Layers }];
  const index = { schemaVersion: 2, manifests: [oci.manifest.descriptor] };
  const blobs = [docker, oci].flatMap(({ manifest, config, layers }) => [manifest, config, ...layers]);
  const unique = new Map(blobs.map(({ descriptor, bytes }) => [path(descriptor.digest), bytes]));
  return tar(
    ...[...unique].map(([name, bytes]) => file(name, bytes)),
    file("oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" })),
    file("index.json", JSON.stringify(index)),
    file("manifest.json", JSON.stringify(manifest)),
  );
}
