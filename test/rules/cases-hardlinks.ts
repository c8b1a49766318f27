import { device, directory, fifo, file, hardlink, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { is } from "./expected.ts";
import type { LayerRule } from "./rule.ts";

const hundreds = Array.from({ length: 500 }, (_, index) => index);

/** Rules H1–H16: what a hard link leads to, and when. */
export const hardlinkRules: readonly LayerRule[] = [
  {
    rule: "H1",
    claim: "a hard link to a lower layer's file is that file",
    layers: [tar(file("a", "1", { mode: 0o600, uid: 5 })), tar(hardlink("b", "a"))],
    outcome: { a: is.file("1", { mode: 0o600, uid: 5 }), b: is.sameAs("a") },
    warnings: ["LINK_ATTRIBUTES"],
    elsewhere: "overlay: the data is copied up, with a warning",
  },
  {
    rule: "H1",
    claim: "a file may have hundreds of names",
    layers: [tar(file("a", "1"), ...hundreds.map((index) => hardlink(`d/${index}`, "a")))],
    outcome: {
      a: "1",
      d: is.implied(),
      ...Object.fromEntries(hundreds.map((index) => [`d/${index}`, is.sameAs("a")])),
    },
  },
  {
    rule: "H2",
    claim: "a new file leaves the other names of the file that it replaces",
    layers: [tar(file("a", "1"), hardlink("b", "a")), tar(file("a", "2"))],
    outcome: { a: "2", b: "1" },
  },
  {
    rule: "H3",
    claim: "a link to a lower file that its layer replaces afterwards is the lower file",
    layers: [tar(file("a", "1")), tar(hardlink("b", "a"), file("a", "2"))],
    outcome: { a: "2", b: "1" },
  },
  {
    rule: "H3",
    claim: "a link to a lower file that its layer hides afterwards is the lower file",
    layers: [tar(file("a", "1")), tar(hardlink("b", "a"), whiteout("a"))],
    outcome: { b: "1" },
  },
  {
    rule: "H3",
    claim: "a link to a lower file that its layer has hidden already is an error",
    layers: [tar(file("a", "1")), tar(whiteout("a"), hardlink("b", "a"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "H4",
    claim: "a link to a file that comes later in its layer is that file",
    layers: [tar(hardlink("b", "a"), file("a", "1"))],
    outcome: { a: "1", b: is.sameAs("a") },
  },
  {
    rule: "H4",
    claim: "links to links to a file that comes later are that file",
    layers: [tar(hardlink("c", "b"), hardlink("d/b", "a"), hardlink("b", "d/b"), file("a", "1"))],
    outcome: { a: "1", b: is.sameAs("a"), c: is.sameAs("a"), d: is.implied(), "d/b": is.sameAs("a") },
  },
  {
    rule: "H4",
    claim: "a link to a file that comes twice later is the second one",
    layers: [tar(hardlink("b", "a"), file("a", "1"), file("a", "2"))],
    outcome: { a: "2", b: is.sameAs("a") },
    warnings: ["DUPLICATE_ENTRY"],
  },
  {
    rule: "H5",
    claim: "a link to what never comes is refused",
    layers: [tar(hardlink("b", "a"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "H5",
    claim: "a link to what only a later layer brings is refused",
    layers: [tar(hardlink("b", "a")), tar(file("a", "1"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "H5",
    claim: "two links to each other are refused",
    layers: [tar(hardlink("a", "b"), hardlink("b", "a"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "H5",
    claim: "a link to what never comes is refused where it would have replaced a directory",
    layers: [tar(file("b/x", "1"), hardlink("b", "a"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "H5",
    claim: "a link to what never comes is refused although its own directory went",
    layers: [tar(hardlink("d/b", "a"), device("d", "character", [1, 3]))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "H6",
    claim: "a link to a symlink is that symlink, and what it leads to is untouched",
    layers: [tar(file("x", "1", { mode: 0o600 }), symlink("s", "x"), hardlink("t", "s", { mode: 0o4777 }))],
    outcome: { s: is.symlink("x"), t: is.sameAs("s"), x: is.file("1", { mode: 0o600 }) },
    warnings: ["LINK_ATTRIBUTES"],
  },
  {
    rule: "H7",
    claim: "attributes in a link's header change nothing",
    layers: [tar(file("a", "1", { mode: 0o600, uid: 5 }), hardlink("b", "a", { mode: 0o4777, uid: 0, mtime: 9 }))],
    outcome: { a: is.file("1", { mode: 0o600, uid: 5 }), b: is.sameAs("a") },
    warnings: ["LINK_ATTRIBUTES"],
  },
  {
    rule: "H8",
    claim: "a hard link to a directory is refused",
    layers: [tar(directory("d"), hardlink("b", "d"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "H8",
    claim: "a hard link to the root is refused",
    layers: [tar(hardlink("b", "/"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "H9",
    claim: "a link of a file to itself leaves the file alone",
    layers: [tar(file("a", "1")), tar(hardlink("a", "./a"))],
    outcome: { a: "1" },
  },
  {
    rule: "H9",
    claim: "a link of a file to itself through a symlink leaves the file alone",
    layers: [tar(file("r/a", "1"), symlink("s", "r")), tar(hardlink("s/a", "r/a"))],
    outcome: { r: is.implied(), "r/a": "1", s: is.symlink("r") },
  },
  {
    rule: "H9",
    claim: "a link of what is not there to itself is refused",
    layers: [tar(hardlink("a", "a"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "H10",
    claim: "a leading slash or `./` in a link's target means nothing",
    layers: [tar(file("d/a", "1"), hardlink("b", "/d/a"), hardlink("c", "./d//a"))],
    outcome: { b: "1", c: is.sameAs("b"), d: is.implied(), "d/a": is.sameAs("b") },
  },
  {
    rule: "H10",
    claim: "a link's target that leaves the root is refused",
    layers: [tar(file("a", "1"), hardlink("d/b", "../a"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "H11",
    claim: "a link's target is found through symlinks, inside the root",
    layers: [tar(file("tmp/d/a", "1"), symlink("s", "/tmp/d"), hardlink("b", "s/a"))],
    outcome: { b: "1", s: is.symlink("/tmp/d"), tmp: is.implied(), "tmp/d": is.implied(), "tmp/d/a": is.sameAs("b") },
  },
  {
    rule: "H12",
    claim: "a size in a link's header announces no body",
    layers: [tar(file("a", "1"), hardlink("b", "a", { header: { size: 1 } }), file("c", "2"))],
    outcome: { a: "1", b: is.sameAs("a"), c: "2" },
  },
  {
    rule: "H13",
    claim: "a hard link into AUFS's own folder is the file that is kept there",
    layers: [tar(file(".wh..wh.plnk/1.2", "1"), hardlink("a", ".wh..wh.plnk/1.2"), hardlink("b", ".wh..wh.plnk/1.2"))],
    outcome: { a: "1", b: is.sameAs("a") },
    warnings: ["RESERVED_NAME"],
    skipped: ["reserved-name"],
  },
  {
    rule: "H13",
    claim: "a hard link to a whiteout is refused",
    layers: [tar(file("a", "1")), tar(whiteout("a"), hardlink("b", ".wh.a"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "H16",
    claim: "a fifo may have two names",
    layers: [tar(fifo("p"), hardlink("q", "p"))],
    outcome: { p: is.fifo(), q: is.sameAs("p") },
  },
  {
    rule: "H16",
    claim: "a device may have two names",
    layers: [tar(device("c", "character", [1, 3], { mode: 0o644 }), hardlink("d", "c"))],
    options: { devices: "create" },
    outcome: { c: is.device("character", "1:3", { mode: 0o644 }), d: is.sameAs("c") },
  },
];
