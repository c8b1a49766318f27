import type { Defence } from "./defence.ts";

const names = "image/artifact";
const files = "artifact/unpack-artifact";

/** What keeps an artifact's files where they belong. */
export const artifactDefences: readonly Defence[] = [
  {
    group: "artifacts",
    what: "a layer of an artifact has no absolute name",
    file: "src/image/artifact-files.ts",
    without: [`if (path.startsWith("/")) throw`, "if (false) throw"],
    test: [names, "an absolute name is refused before anything is fetched"],
  },
  {
    group: "artifacts",
    what: "a layer of an artifact has no name with `..` in it",
    file: "src/image/artifact-files.ts",
    without: [`if (names.includes(".." as ByteString)) throw`, "if (false) throw"],
    test: [names, "a name that leads upwards is refused before anything is fetched"],
  },
  {
    group: "artifacts",
    what: "no two layers of an artifact have one name",
    file: "src/image/artifact-files.ts",
    without: ["if (this.#files.has(own)) throw", "if (false) throw"],
    test: [names, "a name that two layers have is refused before anything is fetched"],
  },
  {
    group: "artifacts",
    what: "no layer of an artifact has a name below another's",
    file: "src/image/artifact-files.ts",
    without: ["if (this.#files.has(parent)) throw", "if (false) throw"],
    test: [names, "a name below that of another layer is refused before anything is fetched"],
  },
  {
    group: "artifacts",
    what: "nor one above another's",
    file: "src/image/artifact-files.ts",
    without: ["if (this.#parents.has(own)) throw", "if (false) throw"],
    test: [names, "a name above that of another layer is refused before anything is fetched"],
  },
  {
    group: "artifacts",
    what: "nothing in an archive of an artifact climbs out of its place",
    file: "src/layer/placed-entries.ts",
    without: [`if (names.includes(".." as ByteString)) throw`, "if (false) throw"],
    test: [files, "an entry of an archive that climbs out is refused, and nothing is left"],
  },
  {
    group: "artifacts",
    what: "nor is it beside that",
    file: "src/layer/placed-entries.ts",
    without: ["if (!isBelow) throw", "if (false) throw"],
    test: [files, "an entry beside the place of its archive is refused, and nothing is left"],
  },
  {
    group: "artifacts",
    what: "no symlink leads out of it, so that nothing gets anywhere else through one",
    file: "src/layer/placed-entries.ts",
    without: [`if (type === "symlink") checkStays(entry, names.length - this.#place.length);`, ""],
    test: [files, "a symlink out of the archive's place is refused, and nothing is left"],
  },
  {
    group: "artifacts",
    what: "not even behind another symlink",
    file: "src/layer/placed-entries.ts",
    without: [" || !isLexical", ""],
    test: [files, "a symlink that climbs out behind another is refused, and nothing is left"],
  },
  {
    group: "artifacts",
    what: "and none stands in the place itself",
    file: "src/layer/placed-entries.ts",
    without: [`if (isPlace && type !== "directory" && type !== "file") {`, "if (false) {"],
    test: [files, "a fifo in the archive's own place is refused, and nothing is left"],
  },
  {
    group: "artifacts",
    what: "a hard link names no file of another layer",
    file: "src/layer/placed-entries.ts",
    without: ["joined(this.#placedNames(linkPath, path))", "linkPath"],
    test: [files, "a hard link to a file of another layer is refused, and nothing is left"],
  },
  {
    group: "artifacts",
    what: "a decompressed archive has the digest that is stated of it",
    file: "src/operation/image-layers.ts",
    without: ["diffID: contentDigest", "diffID: undefined"],
    test: [files, "a blob, or a decompressed archive, that has not its digest leaves nothing"],
  },
  {
    group: "artifacts",
    what: "its owners are not believed",
    file: "src/artifact/unpack-artifact.ts",
    without: [`owner: "ignore", `, ""],
    test: [files, "what is in an archive belongs to whoever unpacks it"],
  },
];
