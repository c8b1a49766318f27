import type { Defence } from "./defence.ts";

const local = "source/local/local-source";
const archives = "source/local/archives";
const housekeeping = "store/housekeeping";

/** What keeps images on this machine, and the store, to themselves. */
export const sourceDefences: readonly Defence[] = [
  {
    group: "A",
    what: "a symlink that leads out of a layout or a `dir:` is not read through",
    file: "src/source/local/directory-files.ts",
    without: [
      "if (realPath.startsWith(join(directory, sep))) return realPath;",
      "if (Math.abs(1) === 1) return realPath;",
    ],
    test: [local, "a symlink that leads out of a layout is not followed"],
  },
  {
    group: "N",
    what: "what is no JSON is not quoted in a message",
    file: "src/oci/json.ts",
    without: ["const position = jsonFault(text);", "const position = JSON.parse(text);"],
    test: ["oci/json", "where the text stops being JSON is told, and nothing of what stands there"],
  },
  {
    group: "H",
    what: "an archive's own compression is within `totalBytes` and `expansionRatio`",
    file: "src/source/local/index-archive-job.ts",
    without: [
      "    limits,\n    readBytes",
      "    limits: { totalBytes: Infinity, expansionRatio: Infinity },\n    readBytes",
    ],
    test: [archives, "an archive's own compression is within the caller's limits"],
  },
  {
    group: "H",
    what: "`entries`, for the members of an archive of an image",
    file: "src/source/local/archive-members.ts",
    without: ["if (count > limits.entries)", "if (count < 0)"],
    test: [archives, "entries holds for an archive of an image"],
  },
  {
    group: "H",
    what: "`memoryBytes`, for their names",
    file: "src/source/local/archive-members.ts",
    without: ["memory.spend(memberBytes + entry.path.length + entry.linkPath.length", "memory.spend(0"],
    test: [archives, "memoryBytes holds for an archive of an image"],
  },
  {
    group: "H",
    what: "names of members are short, whoever chose them",
    file: "src/source/local/archive-members.ts",
    without: ["if (entry.path.length > longestName || entry.linkPath.length > longestName) return undefined;", ""],
    test: [archives, "names that no image's file has are passed over"],
  },
  {
    group: "H",
    what: "the thread that reads an archive is ended, whatever it does",
    file: "src/source/local/archive-index.ts",
    without: ["thread.do(job, { onReport, stop })", "thread.do(job, { onReport })"],
    test: [archives, "disposing of a source ends the thread that reads an archive, whatever it does"],
  },
  {
    group: "H",
    what: "a docker archive's layer is read once, however often it is listed",
    file: "src/source/local/docker-archive.ts",
    without: ["digests.get(file) ??", ""],
    test: [archives, "a layer's file is read once, however often a docker archive lists it"],
  },
  {
    group: "H",
    what: "indexes in an archive are read once, however often they list each other",
    file: "src/source/local/layout.ts",
    without: ["|| seen.has(entry.digest)) continue;", ") continue;"],
    test: [archives, "R-33: indexes in a docker archive that list each other again and again are read once each"],
  },
  {
    group: "H",
    what: "so are those in a store",
    file: "src/store/stored-documents.ts",
    without: ["return before === undefined;", "return true;"],
    test: [housekeeping, "R-33: indexes that list each other again and again are read once each"],
  },
  {
    group: "H",
    what: "a configuration that is larger than `configBytes` keeps nobody from pruning a store",
    file: "src/store/stored-documents.ts",
    without: ["if (sizeBytes === undefined || sizeBytes > limits.configBytes)", "if (sizeBytes === undefined)"],
    test: ["store/products", "a configuration that is larger than the limit is not read by a prune"],
  },
  {
    group: "H",
    what: "manifests that stand in an index count as fetched",
    file: "src/image/image-documents.ts",
    without: ["this.#count();\n    const inline", "const inline"],
    test: ["image/resolve", "R-33: no more than 64 manifests are read that stand in an index"],
  },
  {
    group: "H",
    what: "`memoryBytes`, for manifests and indexes",
    file: "src/image/image-documents.ts",
    without: ["this.#memory.spend(bytesForEach * bytes.length", "this.#memory.spend(0"],
    test: ["image/resolve", "R-33: what manifests and indexes take in memory is counted"],
  },
  {
    group: "H",
    what: "an image is looked at once, however often an index lists it",
    file: "src/image/image-search.ts",
    without: ["if (this.#read.has(reading)) return undefined;", ""],
    test: ["image/resolve", "R-33: what an index lists again and again is read once"],
  },
  {
    group: "H",
    what: "a manifest has no more layers than an index may list manifests",
    file: "src/oci/document.ts",
    without: ["if (layers.length > mostLayers)", "if (layers.length < 0)"],
    test: ["oci/document", "R-33: a manifest of more than 10,000 layers is refused"],
  },
  {
    group: "sandbox",
    what: "the thread that reads an archive of an image opens nothing",
    file: "src/source/local/index-archive-job.ts",
    without: ["status: confineFromFiles(sandbox)", 'status: { state: "off" }'],
    test: [archives, "the thread that reads an archive is confined, and ends with it"],
  },
  {
    group: "verification",
    what: "an archive's own compression has the checksum that it states",
    file: "src/blob/gzip.ts",
    without: ["checksum.end() !== crc", "checksum.end() === -1"],
    test: [archives, "gzip's own checksum counts for an archive"],
  },
];
