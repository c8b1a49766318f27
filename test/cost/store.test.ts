import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Store, store } from "../../src/index.ts";
import { mediaTypes } from "../../src/oci/media-type.ts";
import { type Blob, image, jsonBlob } from "../support/image.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { assertLinear, fourTimes, processorTimeOf } from "./growth.ts";

/** What a store has: descriptors by name, and the blobs that they lead to. */
interface Contents {
  readonly few: number;
  readonly make: (count: number) => { readonly names: readonly Blob[]; readonly blobs: readonly Blob[] };
}

const only = image([tar(file("f"))]);
const ofOnly = [only.manifest, only.config, ...only.layers];

const contents: Readonly<Record<string, Contents>> = {
  "names of one image": {
    few: 50,
    make: (count) => ({ names: times(count, () => only.manifest), blobs: ofOnly }),
  },
  images: {
    few: 25,
    make(count) {
      const images = times(count, (index) => image([tar(file(`file-${index}`))]));
      return {
        names: images.map(({ manifest }) => manifest),
        blobs: images.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers]),
      };
    },
  },
  "mentions of one image in an index": {
    few: 500,
    make(count) {
      const index = indexOf(times(count, () => only.manifest));
      return { names: [index], blobs: [index, ...ofOnly] };
    },
  },
  "mentions of one index in an index, three times over": {
    few: 5,
    make(count) {
      const first = indexOf(times(count, () => only.manifest));
      const second = indexOf(times(count, () => first));
      const third = indexOf(times(count, () => second));
      return { names: [third], blobs: [first, second, third, ...ofOnly] };
    },
  },
  "mentions of one layer in a manifest": {
    few: 500,
    make(count) {
      const config = only.config.descriptor;
      const layers = times(count, () => only.layers[0]?.descriptor);
      const manifest = jsonBlob(mediaTypes.ociManifest, {
        ...{ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers },
      });
      return { names: [manifest], blobs: [manifest, ...ofOnly] };
    },
  },
};

const verbs: Readonly<Record<string, (of: Store) => Promise<unknown>>> = {
  listed: (of) => of.list(),
  verified: (of) => of.verify(),
  pruned: (of) => of.prune({ maxBytes: 2 ** 40 }),
};

for (const [what, { few, make }] of Object.entries(contents)) {
  for (const [verb, work] of Object.entries(verbs)) {
    test(`a store with ${fourTimes(few)} ${what} is ${verb} in linear time`, () => {
      return assertLinear(few, async (count) => {
        await using place = await scratch();
        write(place.directory, make(count));
        return await processorTimeOf(() => work(store(place.directory)));
      });
    });
  }
}

function write(directory: string, { names, blobs }: ReturnType<Contents["make"]>): void {
  mkdirSync(join(directory, "blobs/sha256"), { recursive: true });
  mkdirSync(join(directory, "ingest"));
  const manifests = names.map(({ descriptor }, index) => {
    return { ...descriptor, annotations: { "org.opencontainers.image.ref.name": `example.com/name:${index}` } };
  });
  for (const { descriptor, bytes } of blobs)
    writeFileSync(join(directory, "blobs", descriptor.digest.replace(":", "/")), bytes);
  writeFileSync(
    join(directory, "index.json"),
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
  );
  writeFileSync(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

function indexOf(blobs: readonly Blob[]): Blob {
  const manifests = blobs.map(({ descriptor }) => descriptor);
  return jsonBlob(mediaTypes.ociIndex, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
}

function times<Thing>(count: number, make: (index: number) => Thing): Thing[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
