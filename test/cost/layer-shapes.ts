import {
  directory,
  file,
  gnuLongName,
  hardlink,
  opaque,
  paxGlobal,
  paxRecord,
  paxText,
  symlink,
  tar,
  whiteout,
} from "../support/tar-builder.ts";
import { joined } from "../support/tar-header.ts";
import { type Run, sparseOldGnu, sparsePax00, sparsePax01, sparsePax10 } from "../support/tar-sparse.ts";
import type { Use } from "./consumers.ts";

/** A way in which an image can have much of something. */
export interface LayerShape {
  readonly name: string;
  /** How many there are in the smaller of two images. */
  readonly few: number;
  /** The image's layers, as archives, the bottom one first. */
  readonly make: (count: number) => readonly Uint8Array[];
  /** What may take more than linear time. */
  readonly except: readonly Use[];
}

/** Hostile and merely large images, by what they have much of. Each takes more than linear time in some careless program. */
export const layerShapes: readonly LayerShape[] = [
  // Entries and names.
  shape("files in one directory", 1000, (count) => [tar(...times(count, (index) => file(`file-${index}`)))]),
  shape("directories, one inside the other", 400, (count) => [tar(directory(chain(count)), file(`${chain(count)}/f`))]),
  shape("files at the end of a deep path", 250, (count) => [
    tar(directory(chain(400)), ...times(count, (index) => file(`${chain(400)}/file-${index}`))),
  ]),
  shape("deep paths that nothing but a file describes", 50, (count) => [
    tar(...times(count, (index) => file(`${index}/${chain(100)}/f`))),
  ]),
  shape("long names", 500, (count) => [tar(...times(count, (index) => file(long(250, index))))]),
  shape("spellings of one long path that V8 hashes alike", 250, (count) => [
    tar(...times(count, (index) => file(`${"/".repeat(18_000 - 2 * index)}${"./".repeat(index)}d/f`))),
  ]),
  shape("paths of dots and slashes", 500, (count) => [
    tar(...times(count, (index) => file(`d/${"../d/./".repeat(100)}/file-${index}`))),
  ]),

  // One place again and again.
  shape("entries for one file", 1000, (count) => [tar(...times(count, (index) => file("f", `${index}`)))]),
  shape("entries for one directory", 1000, (count) => [tar(...times(count, () => directory("d")))]),
  shape("replacements of a directory with a file in it", 400, (count) => [
    tar(...times(count, () => joined(file("d/f"), file("d")))),
  ]),
  shape("layers that state one directory with many files below", 20, (count) => [
    tar(...times(1000, (index) => file(`d/file-${index}`))),
    ...times(count, () => tar(directory("d"))),
  ]),
  shape(
    "layers with a file each",
    50,
    (count) => times(count, (index) => tar(file(`d/file-${index}`))),
    ["become an overlay"], // each asks all that are below it
  ),
  shape("layers that replace one file", 50, (count) => times(count, (index) => tar(file("d/f", `${index}`))), [
    "become an overlay",
  ]),

  // Links.
  shape("hard links to one file", 500, (count) => [
    tar(file("f", "x"), ...times(count, (index) => hardlink(`link-${index}`, "f"))),
  ]),
  shape("hard links, each to the one before", 500, (count) => [
    tar(file("link-0", "x"), ...times(count, (index) => hardlink(`link-${index + 1}`, `link-${index}`))),
  ]),
  shape("hard links, each to the one that follows", 500, (count) => [
    tar(...times(count, (index) => hardlink(`link-${index}`, `link-${index + 1}`)), file(`link-${count}`, "x")),
  ]),
  shape("hard links that wait for one file", 500, (count) => [
    tar(...times(count, (index) => hardlink(`link-${index}`, "f")), file("f", "x")),
  ]),
  shape("hard links that wait, and are replaced", 500, (count) => [
    tar(...times(count, () => joined(hardlink("link", "f"), file("link"))), file("f", "x")),
  ]),
  shape("hard links that wait for files behind deep paths", 100, (count) => [
    tar(
      ...times(count, (index) => hardlink(`link-${index}`, `${chain(100)}/file-${index}`)),
      ...times(count, (index) => file(`${chain(100)}/file-${index}`)),
    ),
  ]),
  shape("hard links to a file of a lower layer", 500, (count) => [
    tar(file("f", "x")),
    tar(...times(count, (index) => hardlink(`link-${index}`, "f"))),
  ]),
  shape("symlinks", 1000, (count) => [tar(...times(count, (index) => symlink(`link-${index}`, `target-${index}`)))]),
  shape("files below a chain of symlinks", 500, (count) => [
    tar(
      directory("d"),
      symlink("link-0", "d"),
      ...times(30, (index) => symlink(`link-${index + 1}`, `link-${index}`)),
      ...times(count, (index) => file(`link-30/file-${index}`)),
    ),
  ]),
  shape("files below a symlink with a long target", 250, (count) => [
    tar(directory("d"), symlink("link", `${"./".repeat(2000)}d`), ...times(count, (index) => file(`link/${index}`))),
  ]),

  // Whiteouts.
  shape("whiteouts of all that a lower layer has", 500, (count) => [
    tar(...times(count, (index) => file(`d/file-${index}`))),
    tar(...times(count, (index) => whiteout(`d/file-${index}`))),
  ]),
  shape("whiteouts of nothing", 500, (count) => [
    tar(directory("d")),
    tar(...times(count, (index) => whiteout(`d/file-${index}`))),
  ]),
  shape("whiteouts, each of what is there again", 250, (count) => [
    tar(file("d/f")),
    ...[tar(...times(count, () => joined(whiteout("d/f"), file("d/f"))))],
  ]),
  shape("opaque markers for one directory, with as many files below", 500, (count) => [
    tar(...times(count, (index) => file(`d/file-${index}`))),
    tar(...times(count, () => opaque("d"))),
  ]),
  shape("opaque markers for the root, with as many files below", 500, (count) => [
    tar(...times(count, (index) => file(`file-${index}`))),
    tar(...times(count, () => opaque(""))),
  ]),
  shape("opaque markers, each in a directory of its own", 250, (count) => [
    tar(...times(count, (index) => file(`${index}/f`))),
    tar(...times(count, (index) => opaque(`${index}`))),
  ]),
  shape("opaque markers, each after another file", 250, (count) => [
    tar(...times(count, (index) => file(`d/lower-${index}`))),
    tar(...times(count, (index) => joined(file(`d/upper-${index}`), opaque("d")))),
  ]),
  shape("layers with an opaque marker for a directory that all fill", 20, (count) =>
    times(count, (layer) => tar(...times(50, (index) => file(`d/file-${layer}-${index}`)), opaque("d"))),
  ),

  // What entries say besides their names.
  shape("extended attributes of one file", 500, (count) => [
    tar(file("f", "", { xattrs: Object.fromEntries(times(count, (index) => [`user.${index}`, ""])) })),
  ]),
  shape("files with extended attributes", 250, (count) => [
    tar(...times(count, (index) => file(`file-${index}`, "", { xattrs: { "user.a": "1", "user.b": "2" } }))),
  ]),
  shape("entries of an access-control list", 4000, (count) => [
    tar(file("f", "", { pax: { "SCHILY.acl.access": "u:1:rwx,".repeat(count) } })),
  ]),
  shape("remarks in an access-control list", 20_000, (count) => [
    tar(file("f", "", { pax: { "SCHILY.acl.access": `${"#".repeat(count)}\r` } })),
  ]),
  shape("white space in an access-control list", 20_000, (count) => [
    tar(file("f", "", { pax: { "SCHILY.acl.access": `u${" ".repeat(count)}:x` } })),
  ]),
  shape("access-control lists whose users have no number", 250, (count) => [
    tar(...times(count, (index) => file(`file-${index}`, "", { pax: { "SCHILY.acl.access": "user:bob:rwx" } }))),
  ]),
  shape("pax records in one header", 4000, (count) => [
    tar(paxText(joined(...times(count, () => paxRecord("uid", "1")))), file("f")),
  ]),
  shape("unknown pax records in one header", 4000, (count) => [
    tar(paxText(joined(...times(count, (index) => paxRecord(`key-${index}`, "")))), file("f")),
  ]),
  shape("headers with pax keywords that V8 hashes alike", 10, (count) => [
    tar(
      ...times(count, (header) =>
        joined(
          paxText(joined(...times(50, (index) => paxRecord(`SCHILY.xattr.user.${long(18_000, index)}`, "")))),
          file(`f-${header}`),
        ),
      ),
    ),
  ]),
  shape("global pax headers", 500, (count) => [
    tar(...times(count, (index) => paxGlobal({ [`key-${index}`]: "value" })), file("f")),
  ]),
  shape("extension headers before one entry", 1000, (count) => [
    tar(...times(count, () => gnuLongName("x")), file("f")),
  ]),
  shape("digits of a number", 200_000, (count) => [
    tar(paxText(joined("0".repeat(count), paxRecord("uid", "1"))), file("f")),
  ]),
  shape("digits of a time", 200_000, (count) => [tar(file("f", "", { pax: { mtime: `1.${"9".repeat(count)}` } }))]),
  shape("percent signs in the name of an extended attribute", 20_000, (count) => [
    tar(file("f", "", { pax: { [`LIBARCHIVE.xattr.${"%41".repeat(count)}`]: "AA" } })),
  ]),
  shape("segments of an old GNU sparse file", 500, (count) => [tar(sparseOldGnu("f", sparse(count)))]),
  shape("segments of a sparse file in pax records", 500, (count) => [tar(sparsePax00("f", sparse(count)))]),
  shape("segments of a sparse file in one pax record", 500, (count) => [tar(sparsePax01("f", sparse(count)))]),
  shape("segments of a sparse file before its data", 500, (count) => [tar(sparsePax10("f", sparse(count)))]),
  shape("empty segments of a sparse file", 5000, (count) => [
    tar(sparsePax01("f", { runs: times(count, (index) => ({ offset: index, content: "" })), size: count })),
  ]),
];

function shape(name: string, few: number, make: LayerShape["make"], except: readonly Use[] = []): LayerShape {
  return { name, few, make, except };
}

/** One thing after another, each by its number. */
function times<Thing>(count: number, make: (index: number) => Thing): Thing[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** A path of so many names. */
function chain(depth: number): string {
  return "d/".repeat(depth).slice(0, -1);
}

/** A name of so many bytes that differs from others at its end. */
function long(bytes: number, index: number): string {
  return String(index).padStart(bytes, "-");
}

function sparse(count: number): { readonly runs: readonly Run[]; readonly size: number } {
  return { runs: times(count, (index) => ({ offset: 4096 * index, content: "x" })), size: 4096 * count };
}
