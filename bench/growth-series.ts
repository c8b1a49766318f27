import { entry, opaque, whiteout } from "../test/support/tar-builder.ts";
import { type Archive, directory, emptyFile, file, hardLink, sparseFile } from "./archive.ts";
import { compressibleBytes } from "./content.ts";

/** Images that differ in one number. */
export interface Series {
  /** What `--series` calls it. */
  readonly key: string;
  readonly name: string;
  readonly sizes: readonly number[];
  /** The layers of the image of this size, the lowest first. */
  layers(size: number): readonly Archive[];
  /** Whether the image comes from a registry on loopback instead of from a directory. */
  readonly isRemote?: boolean;
}

const content = compressibleBytes(6);

/** Empty files in directories of a hundred. */
function* emptyFiles(count: number, root = "files"): Archive {
  for (let index = 0; index < count; index += 1) {
    const parent = `${root}/${Math.floor(index / 100)}`;
    if (index % 100 === 0) yield directory(parent);
    yield emptyFile(`${parent}/${index}`);
  }
}

/** The same names once more, each made by `entryFor`. */
function* forEachFile(count: number, entryFor: (path: string, index: number) => Uint8Array): Archive {
  for (let index = 0; index < count; index += 1) yield entryFor(`files/${Math.floor(index / 100)}/${index}`, index);
}

function* smallLayer(layer: number): Archive {
  for (let index = 0; index < 20; index += 1) yield* file(`layer-${layer}/${index}`, 1000, content);
}

const manyLayers = (count: number) => Array.from({ length: count }, (_, layer) => smallLayer(layer));

/** A thousand files in turn at the ends of two chains of directories, so that no parent is the one before. */
function* deepFiles(depth: number): Archive {
  for (let index = 0; index < 1000; index += 1) yield emptyFile(`${`${index % 2}/`.repeat(depth)}${index}`);
}

function* directories(count: number): Archive {
  for (let index = 0; index < count; index += 1) yield directory(`directories/${index}`);
}

/** Each entry needs a hundred directories that no entry describes. */
function* impliedDirectories(count: number): Archive {
  for (let index = 0; index < count / 100; index += 1) yield emptyFile(`${index}/${"d/".repeat(99)}file`);
}

function* linksToOne(count: number): Archive {
  yield emptyFile("target");
  for (let index = 0; index < count; index += 1) yield hardLink(`links/${Math.floor(index / 100)}/${index}`, "target");
}

function* linksToMany(count: number): Archive {
  yield* emptyFiles(count);
  yield* forEachFile(count, (path) => hardLink(`links/${path}`, path));
}

/** Its own entries come first, so that the whiteout has to tell them from those below. */
function* lateOpaque(count: number): Archive {
  yield* emptyFiles(count, "files/above");
  yield opaque("files");
}

function* sameName(count: number): Archive {
  for (let index = 0; index < count; index += 1) yield emptyFile("again");
}

/** A hundred entries, each with a number of records that mean nothing. */
function* paxRecords(count: number): Archive {
  const records = Object.fromEntries(Array.from({ length: count }, (_, index) => [`BENCH.record${index}`, "value"]));
  for (let index = 0; index < 100; index += 1) yield paxFile(`file-${index}`, { pax: records });
}

function* paxEntries(count: number): Archive {
  const records = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`BENCH.record${index}`, "value"]));
  yield* forEachFile(count, (path) => paxFile(path, { pax: records }));
}

function* attributes(count: number): Archive {
  const xattrs = Object.fromEntries(Array.from({ length: count }, (_, index) => [`user.bench${index}`, "value"]));
  for (let index = 0; index < 10; index += 1) yield paxFile(`file-${index}`, { xattrs });
}

function paxFile(path: string, says: Parameters<typeof entry>[4]): Uint8Array {
  return entry("0", path, "", new Uint8Array(), says);
}

const upTo = (...exponents: readonly number[]) => exponents.map((exponent) => 10 ** exponent);

/** Everything that an image can have much of. */
export const allSeries: readonly Series[] = [
  { key: "layers", name: "layers", sizes: [1, 5, 20, 100, 500], layers: manyLayers },
  {
    ...{ key: "remote-layers", name: "layers, from a registry", sizes: [1, 5, 20, 100, 500], layers: manyLayers },
    isRemote: true,
  },
  { key: "entries", name: "entries", sizes: upTo(3, 4, 5, 6), layers: (count) => [emptyFiles(count)] },
  { key: "depth", name: "depth of paths", sizes: [1, 5, 25, 100, 400, 2000], layers: (depth) => [deepFiles(depth)] },
  {
    ...{ key: "bytes", name: "bytes of one file", sizes: [2e6, 2e7, 2e8, 2e9] },
    layers: (size) => [file("large", size, content)],
  },
  {
    ...{ key: "holes", name: "bytes of a sparse file, 100 segments", sizes: upTo(7, 8, 9, 10) },
    layers: (size) => [sparseFile("sparse", size, 100, content(4096))],
  },
  {
    ...{ key: "segments", name: "segments of a sparse file of 10 GB", sizes: upTo(2, 3, 4, 5) },
    layers: (segments) => [sparseFile("sparse", 1e10, segments, content(4096))],
  },
  {
    ...{ key: "whiteouts", name: "whiteouts", sizes: upTo(2, 3, 4, 5) },
    layers: (count) => [emptyFiles(count), forEachFile(count, (path) => whiteout(path))],
  },
  {
    ...{ key: "opaque", name: "entries around an opaque whiteout", sizes: upTo(2, 3, 4, 5) },
    layers: (count) => [emptyFiles(count, "files/below"), lateOpaque(count)],
  },
  { key: "links", name: "hard links to one file", sizes: upTo(2, 3, 4, 5), layers: (count) => [linksToOne(count)] },
  { key: "pairs", name: "files with a hard link", sizes: upTo(2, 3, 4, 5), layers: (count) => [linksToMany(count)] },
  { key: "directories", name: "directories", sizes: upTo(2, 3, 4, 5), layers: (count) => [directories(count)] },
  {
    ...{ key: "implied", name: "directories without entries", sizes: upTo(2, 3, 4, 5) },
    layers: (count) => [impliedDirectories(count)],
  },
  { key: "again", name: "entries of one name", sizes: upTo(2, 3, 4, 5), layers: (count) => [sameName(count)] },
  {
    ...{ key: "records", name: "pax records of each of 100 entries", sizes: upTo(1, 2, 3, 4) },
    layers: (count) => [paxRecords(count)],
  },
  {
    ...{ key: "pax", name: "entries with 10 pax records each", sizes: upTo(2, 3, 4, 5) },
    layers: (count) => [paxEntries(count)],
  },
  {
    ...{ key: "xattrs", name: "extended attributes of each of 10 files", sizes: upTo(1, 2, 3) },
    layers: (count) => [attributes(count)],
  },
];
