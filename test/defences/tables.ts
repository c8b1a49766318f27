import type { Defence } from "./defence.ts";

const rule = ["table/table", "a table that breaks a rule is refused"] as const;

/** What keeps a layer's table of contents from telling what the layer is not. */
export const tableDefences: readonly Defence[] = [
  {
    group: "verification",
    what: "a table of contents is used only if it digests to what the manifest names",
    file: "src/table/layer-tables.ts",
    without: ["if (actual !== encodedOf(digest))", "if (false)"],
    test: ["table/table", "where a table was refused the layer is read in its stead"],
  },
  {
    group: "verification",
    what: "so is one of eStargz, whose digest is that of the decompressed table",
    file: "src/table/check-table.ts",
    without: ["if (digest !== this.#expected.digest)", "if (false)"],
    test: rule,
  },
  {
    group: "verification",
    what: "of a part of an image a file comes out of a layer's middle only with its digest in the table",
    file: "src/table/layer-table.ts",
    without: ["if (actual !== digest) {", "if (false) {"],
    test: ["table/table", "where a part cannot be read by a table the layer is read whole"],
  },
  {
    group: "verification",
    what: "what a table leads to comes only with the digest of its chunk",
    file: "src/table/chunks-job.ts",
    without: ["if (expected.some((byte) => byte !== 0) && !expected.equals(actual))", "if (false)"],
    test: ["table/table", "a file that is not what the table says is read out of the whole layer"],
  },
  {
    group: "rules",
    what: "a layer with two tables of contents has none",
    file: "src/table/table-place.ts",
    without: ["if (checksum !== undefined && stargz !== undefined)", "if (false)"],
    test: rule,
  },
  {
    group: "rules",
    what: "a table tells of each entry what the archive's header does",
    file: "src/table/table-files.ts",
    without: ["if (listed === undefined || !isSame(entry, listed))", "if (listed === undefined)"],
    test: rule,
  },
  {
    group: "rules",
    what: "those headers are the ones that the table names",
    file: "src/table/check-table.ts",
    without: ["if (tarSplitDigest !== undefined && document.tarSplitDigest", "if (false && document.tarSplitDigest"],
    test: rule,
  },
  {
    group: "rules",
    what: "a table names nothing twice",
    file: "src/table/table-files.ts",
    without: ["if (names.has(name))", "if (false)"],
    test: rule,
  },
  {
    group: "rules",
    what: "its chunks follow each other in the layer without overlap",
    file: "src/table/chunk-list.ts",
    without: ["if (offset < before || end <= offset || end > this.#endOffset)", "if (end > this.#endOffset)"],
    test: rule,
  },
  {
    group: "rules",
    what: "the chunks of a file are all of it",
    file: "src/table/chunk-list.ts",
    without: ["if (rest <= 0 || (chunk.chunkSize !== 0 && chunk.chunkSize !== rest))", "if (false)"],
    test: rule,
  },
  {
    group: "rules",
    what: "a member that Go takes for another one is refused",
    file: "src/table/table-entry.ts",
    without: ["if (kind === undefined && foldedNames.has(name.toLowerCase()))", "if (false)"],
    test: rule,
  },
  {
    group: "H",
    what: "`tableBytes`",
    file: "src/table/check-table.ts",
    without: ["if (bytes > mostBytes)", "if (false)"],
    test: ["table/table", "a table larger than allowed is refused"],
  },
  {
    group: "H",
    what: "`tableEntries`",
    file: "src/table/table-files.ts",
    without: ["if (count > limits.tableEntries)", "if (false)"],
    test: ["table/table", "a table larger than allowed is refused"],
  },
];
