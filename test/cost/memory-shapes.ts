import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { mediaTypes } from "../../src/oci/media-type.ts";
import { type Blob, blob, blobsOf, type Image, image, imageIndex, jsonBlob } from "../support/image.ts";
import { device, directory, file, hardlink, tar } from "../support/tar-builder.ts";

/** What is done with an image. */
export type Verb =
  | "unpack"
  | "unpack a part, and list it"
  | "overlay"
  | "tar"
  | "ls"
  | "cat"
  | "inspect"
  | "verify"
  | "copy"
  | "copy into an archive"
  | "store"
  | "store list"
  | "store verify"
  | "store prune";

/** An image that could make the program remember much more than it may: its blobs, and the one that its name stands for. */
export interface MemoryShape {
  readonly name: string;
  readonly verbs: readonly Verb[];
  readonly make: () => { readonly top: Blob; readonly blobs: readonly Blob[] };
}

/** What merges layers in memory. */
const merging: readonly Verb[] = ["tar", "ls", "cat", "verify"];
const ofDocuments: readonly Verb[] = ["inspect", "copy", "copy into an archive", "store"];
const ofStores: readonly Verb[] = ["store list", "store verify", "store prune"];

const MiB = 1024 * 1024;

export const memoryShapes: readonly MemoryShape[] = [
  shape("800,000 directories that nothing describes", merging, () =>
    times(20_000, (index) => file(`${index}/${"d/".repeat(39)}f`)),
  ),
  shape("5,000 names that are parts of long paths", ["ls"], () =>
    times(5000, (index) => file(`${"./".repeat(30_000)}the-name-of-a-file-${index}`)),
  ),
  shape("5,000 files that are deep below long names", ["ls"], () =>
    times(5000, (index) => file(`${`${"n".repeat(249)}/`.repeat(240)}${index}`)),
  ),
  shape("400 MiB of attributes on hard links that wait", ["unpack", "tar"], () => [
    ...times(400, (index) => hardlink(`link-${index}`, "file", { xattrs: attributes })),
    file("file", "x"),
  ]),
  shape("400 MiB of attributes on files", ["unpack a part, and list it", "overlay", ...merging], () =>
    times(400, (index) => file(`file-${index}`, "", { xattrs: attributes })),
  ),
  shape("400 MiB of attributes on directories", ["unpack"], () =>
    times(400, (index) => directory(`directory-${index}`, { xattrs: attributes })),
  ),
  shape("300 MB of names of what is left out", ["unpack", "tar"], () =>
    times(6000, (index) => device(`${`${"n".repeat(249)}/`.repeat(200)}${index}`, "character", [1, 3])),
  ),
  {
    name: "40 layers of 4 MiB that can be had at once",
    verbs: ["unpack", "ls"],
    make: () => ofImage(image(waiting(40), { encoding: "plain" })),
  },
  {
    name: "400 MiB of attributes, and 20 layers of 4 MiB above them",
    verbs: ["tar", "overlay"],
    make() {
      const heavy = tar(...times(400, (index) => file(`file-${index}`, "", { xattrs: attributes })));
      const archives = [heavy, ...waiting(20)];
      return ofImage(image(archives, { layers: archives.map(compressed) }));
    },
  },
  {
    name: "indexes that list one index 1,000 times, and that another",
    verbs: [...ofDocuments, ...ofStores],
    make: nested,
  },
  {
    name: "a configuration of 4 MiB",
    verbs: [...ofDocuments, "unpack"],
    make() {
      const Labels = Object.fromEntries(times(60_000, (index) => [`label-${index}`, "a value"]));
      return ofImage(image([tar(file("f"))], { config: { config: { Labels } } }));
    },
  },
];

/** Archives that no compression makes smaller, each another. */
function waiting(count: number): Uint8Array[] {
  return times(count, (index) => tar(file(`file-${index}`, noise(4 * MiB, index + 1))));
}

/** Fast: where all is alike, levels do not matter. */
function compressed(archive: Uint8Array): Blob {
  return blob("application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(archive, { level: 1 }));
}

/** A MiB of them, in as many as Linux has room for. */
const attributes = Object.fromEntries(times(16, (index) => [`user.${index}`, "v".repeat(65_000)]));

function shape(name: string, verbs: readonly Verb[], entries: () => readonly Uint8Array[]): MemoryShape {
  return {
    name,
    verbs,
    make() {
      const archive = tar(...entries());
      return ofImage(image([archive], { layers: [compressed(archive)] }));
    },
  };
}

function ofImage(one: Image): ReturnType<MemoryShape["make"]> {
  return { top: one.manifest, blobs: blobsOf(one) };
}

function nested(): ReturnType<MemoryShape["make"]> {
  const one = image([tar(file("f"))]);
  const first = imageIndex(times(1000, () => one));
  const second = indexOf(times(1000, () => first));
  const third = indexOf(times(1000, () => second));
  return { top: third, blobs: [...blobsOf(one), first, second, third] };
}

function indexOf(blobs: readonly Blob[]): Blob {
  const manifests = blobs.map(({ descriptor }) => descriptor);
  return jsonBlob(mediaTypes.ociIndex, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
}

/** Bytes that no compression makes fewer. */
function noise(length: number, seed: number): Uint8Array {
  let state = seed;
  const words = Uint32Array.from({ length: length / 4 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state;
  });
  return Buffer.from(words.buffer);
}

function times<Thing>(count: number, make: (index: number) => Thing): Thing[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
