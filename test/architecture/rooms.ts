/** A folder of `src/`, or `index.ts`, its only loose file. */
export interface Room {
  /** A room uses what stands on lower floors only. */
  readonly floor: number;
  /** What it is, for ARCHITECTURE.md. */
  readonly what: string;
  /** The rooms that it may use. */
  readonly uses: readonly string[];
}

/** The plan of `src/`: ARCHITECTURE.md shows it, and the imports of all files are held to it. */
export const rooms = {
  cli: {
    floor: 13,
    what: "the command: options, progress, reports, signals; it uses what every program can use, a few tools of `base/`, and starts the threads of `worker/` early",
    uses: ["index.ts", "base", "worker"],
  },
  "index.ts": {
    floor: 12,
    what: "the public names",
    uses: [
      "base",
      "oci",
      "tar",
      "http",
      "blob",
      "registry",
      "layer",
      "bundle",
      "tree",
      "source",
      "configuration",
      "store",
      "image",
      "operation",
      "export",
      "unpack",
      "overlay",
      "look",
      "history",
      "verify",
      "diff",
      "sync",
      "copy",
      "signatures",
      "artifact",
      "trust",
    ],
  },
  threads: {
    floor: 12,
    what: "the files that Node loads as threads: each says which jobs its thread does, and nothing else",
    uses: [
      "artifact",
      "worker",
      "rootfs",
      "source",
      "store",
      "clone",
      "export",
      "unpack",
      "overlay",
      "look",
      "history",
      "verify",
      "diff",
      "sync",
      "table",
    ],
  },
  sync: {
    floor: 11,
    what: "a directory made what an image says: compared as `verify/` does, made anew beside the old root of what stays and what differs, and exchanged with it",
    uses: [
      "base",
      "oci",
      "tar",
      "output",
      "blob",
      "linux",
      "toc",
      "layer",
      "worker",
      "rootfs",
      "tree",
      "source",
      "store",
      "operation",
      "unpack",
      "verify",
      "diff",
      "system",
    ],
  },
  unpack: {
    floor: 10,
    what: "a root filesystem in a directory; of a part of an image, through the merged tree",
    uses: [
      "base",
      "tar",
      "output",
      "blob",
      "linux",
      "toc",
      "layer",
      "worker",
      "bundle",
      "rootfs",
      "tree",
      "image",
      "store",
      "operation",
      "clone",
      "export",
      "system",
    ],
  },
  artifact: {
    floor: 10,
    what: "the layers of an artifact as files: each blob as an archive with one file, which then goes the way of all layers, past the decompressing thread",
    uses: [
      "base",
      "oci",
      "tar",
      "output",
      "blob",
      "linux",
      "system",
      "layer",
      "worker",
      "rootfs",
      "tree",
      "image",
      "operation",
    ],
  },
  overlay: {
    floor: 10,
    what: "each layer as a directory of its own, by the back end of `rootfs/` with whiteouts of its own: what a layer hides is recorded, and what the layers below show is asked for where `rootfs/` would ask the disk",
    uses: [
      "base",
      "oci",
      "tar",
      "output",
      "linux",
      "layer",
      "worker",
      "rootfs",
      "source",
      "store",
      "image",
      "operation",
      "system",
    ],
  },
  look: {
    floor: 10,
    what: "what is in an image, without unpacking it: layers from the newest down, as few as an answer needs",
    uses: ["base", "oci", "tar", "blob", "toc", "system", "layer", "worker", "tree", "image", "operation", "table"],
  },
  verify: {
    floor: 10,
    what: "a root filesystem compared with what its image says: the merged tree against the disk, name by name",
    uses: [
      "base",
      "oci",
      "tar",
      "linux",
      "toc",
      "layer",
      "worker",
      "rootfs",
      "tree",
      "source",
      "store",
      "image",
      "operation",
      "system",
    ],
  },
  history: {
    floor: 10,
    what: "what each layer did to the tree of those below it, and to one path",
    uses: ["base", "oci", "tar", "toc", "system", "layer", "worker", "tree", "image", "operation"],
  },
  diff: {
    floor: 10,
    what: "two images compared: how they are to be run, and their merged trees, name by name, with layers that both have read once, if at all",
    uses: ["base", "oci", "tar", "toc", "system", "layer", "worker", "tree", "image", "operation"],
  },
  copy: {
    floor: 10,
    what: "an image as it is, into a layout or an archive",
    uses: ["base", "oci", "tar", "output", "blob", "worker", "source", "image", "operation", "trust"],
  },
  signatures: {
    floor: 10,
    what: "what is stored as signatures of an image, each with what comes of verifying it",
    uses: ["base", "image", "operation", "trust"],
  },
  export: {
    floor: 9,
    what: "a root filesystem in one file: the merged tree as an archive, or as a file system made of that; a store may keep it",
    uses: [
      "base",
      "oci",
      "tar",
      "output",
      "blob",
      "toc",
      "system",
      "layer",
      "worker",
      "tree",
      "source",
      "store",
      "image",
      "operation",
      "table",
    ],
  },
  clone: {
    floor: 9,
    what: "a root filesystem that is kept in a store, the list that shows whether it was touched, and trees that are made of it",
    uses: ["base", "tar", "linux", "layer", "worker", "rootfs", "store"],
  },
  operation: {
    floor: 8,
    what: "what the verbs have in common: options settled, the source opened, the image resolved and decided about, events told and counted, layers fetched and consumed at once",
    uses: [
      "base",
      "oci",
      "tar",
      "blob",
      "layer",
      "worker",
      "bundle",
      "tree",
      "source",
      "store",
      "image",
      "trust",
      "table",
      "system",
    ],
  },
  configuration: {
    floor: 8,
    what: "what docker, podman and containerd have in their files: credentials, certificates, mirrors, proxies; and the source that a name asks for on such a machine",
    uses: ["base", "oci", "output", "http", "blob", "registry", "source", "store"],
  },
  image: {
    floor: 7,
    what: "from a name to one image, or artifact: index, manifest and configuration, for one platform",
    uses: ["base", "oci", "tar", "blob", "layer", "trust"],
  },
  store: {
    floor: 7,
    what: "blobs kept between runs, in an OCI layout that processes may share, and layers as directories, and what images became; it wraps any source",
    uses: ["base", "oci", "tar", "output", "blob", "toc", "worker", "source", "system"],
  },
  table: {
    floor: 6,
    what: "the table of contents that a layer may have: found, checked and made an index of, and parts of the layer read by it",
    uses: ["base", "oci", "tar", "blob", "toc", "system", "layer", "worker"],
  },
  source: {
    floor: 6,
    what: "where documents and blobs come from: the source that a name asks for; in `local/` layouts and archives on this machine",
    uses: ["base", "oci", "tar", "http", "blob", "registry", "worker", "system"],
  },
  worker: {
    floor: 5,
    what: "the engine of the confined threads (one decompresses, one applies; a third digests, and makes indexes of layers, and another digests blobs; further ones help the first two): rings, messages, progress; it knows no verb",
    uses: ["base", "oci", "tar", "blob", "toc", "system", "layer"],
  },
  rootfs: {
    floor: 5,
    what: "the back end of `layer/` on a disk: names, files, attributes, owners; knows nothing of HTTP or compression",
    uses: ["base", "tar", "linux", "layer"],
  },
  tree: {
    floor: 5,
    what: "the back end of `layer/` in memory: the tree that layers make together, and a list of it (mtree(5))",
    uses: ["base", "tar", "layer"],
  },
  trust: {
    floor: 5,
    what: "who signed an image: what is stored as signatures, and whether a key, an identity or a policy accepts one; loaded where one is demanded",
    uses: ["base", "oci", "blob"],
  },
  bundle: {
    floor: 5,
    what: "the image's configuration as a container runtime's (runtime-spec): users, mounts, annotations",
    uses: ["base", "oci", "tar", "linux", "layer"],
  },
  system: {
    floor: 4,
    what: "what the system that this runs on gives: Linux through `linux/`, loaded where it is; elsewhere what Node has, or a word that it cannot be had",
    uses: ["base", "tar", "linux"],
  },
  registry: {
    floor: 4,
    what: "the client of a registry: its mirrors, its tokens (in `auth/`), manifests, blobs that survive broken connections",
    uses: ["base", "oci", "http", "blob"],
  },
  layer: {
    floor: 4,
    what: "what the entries of a layer mean, wherever they are applied: directories and which layer did what to them, whiteouts, hard links that wait, symlinks on the way, what is refused, repaired and filtered",
    uses: ["base", "tar"],
  },
  http: {
    floor: 3,
    what: "requests that end: connections, TLS, proxies, redirects, deadlines, retries; whom credentials may reach; the only code that opens a connection",
    uses: ["base", "oci"],
  },
  blob: {
    floor: 3,
    what: "from a source's bytes to trusted, decompressed ones: fetching in parallel, the spool, digests, gzip and zstd",
    uses: ["base", "oci", "tar"],
  },
  toc: {
    floor: 3,
    what: "the index of a layer: its entries with the digests of their data, written while the layer is read, and read in its stead",
    uses: ["base", "tar"],
  },
  linux: {
    floor: 3,
    what: "system calls and Landlock: the only code that speaks C",
    uses: ["base", "tar"],
  },
  oci: {
    floor: 2,
    what: "references, digests, descriptors, manifests, configurations, platforms: values, no I/O, no clock",
    uses: ["base"],
  },
  tar: {
    floor: 2,
    what: "bytes to entries, every dialect; knows nothing of OCI or disks",
    uses: ["base"],
  },
  output: {
    floor: 2,
    what: "what is complete or not there: a new directory, a new file, a stream",
    uses: ["base"],
  },
  base: {
    floor: 1,
    what: "what all speak: errors, events, limits, the memory that an image takes, how calls are aborted and options checked",
    uses: [],
  },
} as const satisfies Readonly<Record<string, Room>>;

/** The rows of ARCHITECTURE.md, from the top of the house to its ground. */
export function roomRows(): string {
  return Object.entries<Room>(rooms)
    .map(([name, { floor, what, uses }]) => `| ${floor} | \`${shownName(name)}\` | ${what} | ${shownUses(uses)} |`)
    .join("\n");
}

function shownUses(uses: readonly string[]): string {
  return uses.map((name) => `\`${name}\``).join(" ");
}

function shownName(room: string): string {
  return room.endsWith(".ts") ? `src/${room}` : `src/${room}/`;
}
