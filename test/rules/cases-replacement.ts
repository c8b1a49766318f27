import { device, directory, entry, fifo, file, hardlink, pax, symlink, tar } from "../support/tar-builder.ts";
import { skipUnlessRoot, skipUnlessWhiteouts } from "../support/tools.ts";
import { is } from "./expected.ts";
import type { LayerRule } from "./rule.ts";

const noBody = new Uint8Array(0);
const notUtf8 = Uint8Array.of(0xff, 0xfe, 0x2e, 0x80);
const linked = tar(directory("r", { mode: 0o750 }), file("r/x", "1"), symlink("s", "r"));

/** Rules T1–T29: one type replaces another; parents, names and the root. */
export const replacementRules: readonly LayerRule[] = [
  {
    rule: "T1",
    claim: "a file replaces a directory with all that is in it",
    layers: [tar(directory("p"), file("p/x/y", "1")), tar(file("p", "2"))],
    outcome: { p: "2" },
  },
  {
    rule: "T1",
    claim: "a symlink, a hard link or a fifo replaces a directory with all that is in it",
    layers: [
      tar(file("p/x", "1"), file("q/x", "1"), file("f/x", "1"), file("a", "2")),
      tar(symlink("p", "a"), hardlink("q", "a"), fifo("f")),
    ],
    outcome: { a: "2", f: is.fifo(), p: is.symlink("a"), q: is.sameAs("a") },
  },
  {
    rule: "T2",
    claim: "a directory replaces a file",
    layers: [tar(file("p", "1")), tar(directory("p"), file("p/x", "2"))],
    outcome: { p: is.directory(), "p/x": "2" },
  },
  {
    rule: "T2",
    claim: "a directory replaces one name of a file and leaves the other",
    layers: [tar(file("p", "1"), hardlink("q", "p")), tar(directory("p"))],
    outcome: { p: is.directory(), q: "1" },
  },
  {
    rule: "T3",
    claim: "a file in the place of a parent becomes an implied directory",
    layers: [tar(file("p", "1")), tar(file("p/x", "2"))],
    outcome: { p: is.implied(), "p/x": "2" },
    warnings: ["PARENT_REPLACED"],
  },
  {
    rule: "T3",
    claim: "a file of the same layer in the place of a parent becomes an implied directory",
    layers: [tar(file("p", "1"), file("p/x", "2"))],
    outcome: { p: is.implied(), "p/x": "2" },
    warnings: ["PARENT_REPLACED"],
  },
  {
    rule: "T3",
    claim: "a file at the end of a symlink in the place of a parent becomes an implied directory",
    layers: [tar(file("p", "1"), symlink("s", "p")), tar(file("s/x", "2"))],
    outcome: { p: is.implied(), "p/x": "2", s: is.symlink("p") },
    warnings: ["PARENT_REPLACED"],
  },
  {
    rule: "T4",
    claim: "a directory replaces a symlink to a directory and leaves that one untouched",
    layers: [linked, tar(directory("s", { mode: 0o700 }), file("s/x", "2"))],
    outcome: { r: is.directory({ mode: 0o750 }), "r/x": "1", s: is.directory({ mode: 0o700 }), "s/x": "2" },
  },
  {
    rule: "T4",
    claim: "a symlink to a directory is kept on request, and the directory gets the attributes",
    layers: [linked, tar(directory("s", { mode: 0o700 }), file("s/y", "2"))],
    options: { keepDirlinks: true },
    outcome: { r: is.directory({ mode: 0o700 }), "r/x": "1", "r/y": "2", s: is.symlink("r") },
  },
  {
    rule: "T4",
    claim: "a symlink to a file, or to nothing, is replaced even where links to directories are kept",
    layers: [tar(file("a", "1"), symlink("s", "a"), symlink("t", "no")), tar(directory("s"), directory("t"))],
    options: { keepDirlinks: true },
    outcome: { a: "1", s: is.directory(), t: is.directory() },
  },
  {
    rule: "T5",
    claim: "an entry below a symlink lands in the directory that the link leads to",
    layers: [linked, tar(file("s/y", "2"))],
    outcome: { r: is.directory({ mode: 0o750 }), "r/x": "1", "r/y": "2", s: is.symlink("r") },
    elsewhere: "flat tar: the path is r/y",
  },
  {
    rule: "T5",
    claim: "an entry below a symlink that was replaced lands where the new one leads",
    layers: [
      tar(directory("p"), directory("q"), symlink("s", "p"), file("s/a", "1"), symlink("s", "q"), file("s/b", "2")),
    ],
    outcome: { p: is.directory(), "p/a": "1", q: is.directory(), "q/b": "2", s: is.symlink("q") },
    warnings: ["DUPLICATE_ENTRY"],
  },
  {
    rule: "T6",
    claim: "an entry below a dangling symlink makes what the link leads to",
    layers: [tar(symlink("s", "no/where")), tar(file("s/x", "1"))],
    outcome: { no: is.implied(), "no/where": is.implied(), "no/where/x": "1", s: is.symlink("no/where") },
  },
  {
    rule: "T7",
    claim: "an entry below a symlink loop is refused",
    layers: [tar(symlink("s", "t"), symlink("t", "s")), tar(file("s/x", "1"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "T8",
    claim: "an absolute symlink as a parent leads to a place inside the root",
    layers: [tar(directory("usr/lib"), symlink("lib", "/usr/lib")), tar(file("lib/x", "1"))],
    outcome: { usr: is.implied(), "usr/lib": is.directory(), "usr/lib/x": "1", lib: is.symlink("/usr/lib") },
  },
  {
    rule: "T8",
    claim: "an absolute symlink begins at the root wherever it stands",
    layers: [tar(symlink("a/b/lib", "/usr/lib"), file("a/b/lib/x", "1"))],
    outcome: {
      a: is.implied(),
      "a/b": is.implied(),
      "a/b/lib": is.symlink("/usr/lib"),
      usr: is.implied(),
      "usr/lib": is.implied(),
      "usr/lib/x": "1",
    },
  },
  {
    rule: "T9",
    claim: "a symlink that climbs above the root leads to a place inside it",
    layers: [tar(symlink("s", "../../../etc")), tar(file("s/x", "1"))],
    outcome: { etc: is.implied(), "etc/x": "1", s: is.symlink("../../../etc") },
  },
  {
    rule: "T10",
    claim: "a path that begins with `..` is refused",
    layers: [tar(file("../x", "1"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "T10",
    claim: "a path that leaves the root on its way is refused",
    layers: [tar(directory("a"), file("a/../../x", "1"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "T10",
    claim: "an absolute path that leaves the root is refused",
    layers: [tar(file("/../x", "1"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "T11",
    claim: "`..` takes back the component before it",
    layers: [tar(directory("a"), file("a/../b", "1"))],
    outcome: { a: is.directory(), b: "1" },
    warnings: ["PATH_NORMALISED"],
  },
  {
    rule: "T11",
    claim: "`..` behind a symlink is refused",
    layers: [tar(directory("r/s"), symlink("a", "r/s"), file("a/../b", "1"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "T12",
    claim: "a leading slash means nothing",
    layers: [tar(file("/etc/x", "1"), file("//y", "2"))],
    outcome: { etc: is.implied(), "etc/x": "1", y: "2" },
  },
  {
    rule: "T13",
    claim: "`.` and empty components mean nothing",
    layers: [tar(file("./a", "1"), file("b//c", "2"), file("b/./d", "3"), directory("b/./e/."))],
    outcome: { a: "1", b: is.implied(), "b/c": "2", "b/d": "3", "b/e": is.directory() },
  },
  {
    rule: "T13",
    claim: "an old archive's file with a trailing slash is a directory",
    layers: [tar(entry("\0", "d/", "", noBody, { mode: 0o755 }))],
    outcome: { d: is.directory() },
  },
  {
    rule: "T13",
    claim: "an empty file with a trailing slash is a directory",
    layers: [tar(entry("0", "d/", "", noBody, { mode: 0o755 }))],
    outcome: { d: is.directory() },
    warnings: ["TRAILING_SLASH"],
  },
  {
    rule: "T13",
    claim: "a file with content and a trailing slash is a file",
    layers: [tar(file("f/", "1"))],
    outcome: { f: "1" },
  },
  {
    rule: "T14",
    claim: "a link with a trailing slash is a link",
    layers: [tar(file("a", "1"), symlink("s/", "a"), hardlink("h/", "a"))],
    outcome: { a: "1", h: is.sameAs("a"), s: is.symlink("a") },
  },
  {
    rule: "T15",
    claim: "an entry without a name is left out",
    layers: [tar(file("", "1"), file("a", "2"))],
    outcome: { a: "2" },
    warnings: ["EMPTY_NAME"],
  },
  {
    rule: "T16",
    claim: "an entry for the root gives the root its attributes",
    layers: [tar(directory(".", { mode: 0o700, uid: 5, gid: 6, mtime: 7, xattrs: { "user.a": "1" } }), file("a", "1"))],
    outcome: { ".": is.directory({ mode: 0o700, uid: 5, gid: 6, mtime: 7, xattrs: { "user.a": "1" } }), a: "1" },
  },
  {
    rule: "T16",
    claim: "the last layer that names the root decides about it",
    layers: [
      tar(directory("./", { mode: 0o700 })),
      tar(directory("/", { mode: 0o755, mtime: 8 })),
      tar(file("a", "1")),
    ],
    outcome: { ".": is.directory({ mtime: 8 }), a: "1" },
  },
  ...(["0", "1", "2", "6"] as const).map((typeFlag) => ({
    rule: "T17",
    claim: `a root that is of type ${typeFlag} is refused`,
    layers: [tar(file("a", "1"), entry(typeFlag, ".", "a", noBody))],
    outcome: "ENTRY_REFUSED" as const,
  })),
  {
    rule: "T17",
    claim: "a root spelled `/.` that is a symlink is refused",
    layers: [tar(symlink("/.", "/tmp"), file("a", "1"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "T18",
    claim: "a root that no layer names is 0755, owned by root, and as old as time",
    layers: [tar(file("a", "1"))],
    outcome: { ".": is.directory({ mode: 0o755, mtime: 0 }), a: "1" },
  },
  {
    rule: "T18",
    claim: "a root that no layer names takes its time from SOURCE_DATE_EPOCH",
    layers: [tar(file("d/a", "1"))],
    options: { sourceDateEpoch: 1234 },
    outcome: { ".": is.directory({ mtime: 1234 }), d: is.directory({ mtime: 1234 }), "d/a": "1" },
  },
  {
    rule: "T19",
    claim: "parents that no layer names are 0755, owned by root, and as old as time",
    layers: [tar(file("a/b/c", "1", { mode: 0o600, uid: 5, gid: 5 }))],
    outcome: { a: is.implied(), "a/b": is.implied(), "a/b/c": is.file("1", { mode: 0o600, uid: 5, gid: 5 }) },
  },
  {
    rule: "T19",
    claim: "an implied parent gets the attributes of the entry that names it later",
    layers: [tar(file("a/b/c", "1"), directory("a/b", { mode: 0o700, uid: 5, mtime: 7 }))],
    outcome: { a: is.implied(), "a/b": is.directory({ mode: 0o700, uid: 5, mtime: 7 }), "a/b/c": "1" },
  },
  {
    rule: "T19",
    claim: "an implied parent is no reason to change a directory of a lower layer",
    layers: [tar(directory("a", { mode: 0o700, uid: 5, mtime: 7 })), tar(file("a/b", "1"))],
    outcome: { a: is.directory({ mode: 0o700, uid: 5, mtime: 7 }), "a/b": "1" },
  },
  {
    rule: "T20",
    claim: "a directory that follows its children keeps them and gets its own time",
    layers: [
      tar(file("d/a", "1"), file("d/b", "2"), directory("d", { mode: 0o711, mtime: { seconds: 5, nanoseconds: 6 } })),
    ],
    outcome: { d: is.directory({ mode: 0o711, mtime: [5, 6] }), "d/a": "1", "d/b": "2" },
  },
  {
    rule: "T21",
    claim: "directories that nobody may write to or enter get their children all the same",
    layers: [tar(directory("a", { mode: 0o555 }), file("a/x", "1"), directory("b", { mode: 0 }), file("b/c/y", "2"))],
    outcome: {
      a: is.directory({ mode: 0o555 }),
      "a/x": "1",
      b: is.directory({ mode: 0 }),
      "b/c": is.implied(),
      "b/c/y": "2",
    },
  },
  {
    rule: "T22",
    claim: "the last of two entries for a file wins",
    layers: [tar(file("a", "1"), file("a", "2", { mode: 0o600 }))],
    outcome: { a: is.file("2", { mode: 0o600 }) },
    warnings: ["DUPLICATE_ENTRY"],
  },
  {
    rule: "T22",
    claim: "the second entry for a file makes a new file and leaves the first one's other names",
    layers: [tar(file("a", "1"), hardlink("b", "a"), file("a", "2"))],
    outcome: { a: "2", b: "1" },
    warnings: ["DUPLICATE_ENTRY"],
  },
  {
    rule: "T23",
    claim: "the last of two entries for a directory decides about its attributes",
    layers: [tar(directory("d", { mode: 0o700 }), file("d/x", "1"), directory("d", { mode: 0o750, mtime: 9 }))],
    outcome: { d: is.directory({ mode: 0o750, mtime: 9 }), "d/x": "1" },
    warnings: ["DUPLICATE_ENTRY"],
  },
  {
    rule: "T26",
    claim: "a path longer than PATH_MAX is made, one handle at a time",
    layers: [tar(file(`${`${"d".repeat(200)}/`.repeat(25)}x`, "1"))],
    outcome: {
      ...Object.fromEntries(
        Array.from({ length: 25 }, (_, n) => [
          Array(n + 1)
            .fill("d".repeat(200))
            .join("/"),
          is.implied(),
        ]),
      ),
      [`${`${"d".repeat(200)}/`.repeat(25)}x`]: "1",
    },
  },
  {
    rule: "T26",
    claim: "a name longer than 255 bytes is refused",
    layers: [tar(file("n".repeat(256), "1"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "T26",
    claim: "a directory name longer than 255 bytes is refused",
    layers: [tar(file(`${"n".repeat(256)}/x`, "1"))],
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "T27",
    claim: "names with newlines, backslashes, colons and control characters are kept as they are",
    layers: [
      tar(file("new\nline", "1"), file("\\back", "2"), file("C:", "3"), file("\x1b[31m", "4"), file("...", "5")),
    ],
    outcome: { "new\nline": "1", "\\back": "2", "C:": "3", "\x1b[31m": "4", "...": "5" },
  },
  {
    rule: "T27",
    claim: "composed and decomposed accents are two names",
    layers: [tar(file("caf\u00e9", "1"), file("cafe\u0301", "2"))],
    outcome: { "caf\u00e9": "1", "cafe\u0301": "2" },
  },
  {
    rule: "T27",
    claim: "names and link targets that are not UTF-8 are kept byte by byte",
    layers: [tar(file(notUtf8, "1"), symlink("s", notUtf8))],
    outcome: {},
    notText: { "\xff\xfe.\x80": is.file("1"), s: { ...is.symlink(""), target: "\xff\xfe.\x80" } },
  },
  {
    rule: "T28",
    claim: "a NUL inside a pax path makes the archive invalid",
    layers: [tar(pax({ path: "a\0b" }), file("x", "1"))],
    outcome: "INVALID_ARCHIVE",
  },
  {
    rule: "T29",
    claim: "a device 0:0 is left out like any device, and not taken for a whiteout's opposite",
    layers: [tar(file("a", "1")), tar(device("b", "character", [0, 0]))],
    outcome: { a: "1" },
    skipped: ["device"],
    elsewhere: "overlay: a device 0:0 would hide a lower file, so it must not be made",
  },
  {
    rule: "T29",
    claim: "a device 0:0 is made where devices are asked for",
    layers: [tar(device("b", "character", [0, 0]))],
    options: { devices: "create" },
    outcome: { b: is.device("character", "0:0") },
    skip: skipUnlessRoot() || skipUnlessWhiteouts(),
  },
];
