import {
  device,
  directory,
  entry,
  fifo,
  file,
  gnuLongLink,
  gnuLongName,
  hardlink,
  opaque,
  pax,
  symlink,
  tar,
  whiteout,
} from "../support/tar-builder.ts";
import { contained, type HostileCase, refused } from "./case.ts";

const noBody = new Uint8Array(0);
const setuid = { mode: 0o4777, uid: 0, mtime: 1 };

/** The staging directory is one below the target, the target one below the place: this climbs to the place. */
const climb = "../..";

/** Class A: an entry that is written, linked or removed through a link which the archive made before. */
const throughLinks: readonly HostileCase[] = [
  contained(
    "A",
    "a file below an absolute symlink",
    ({ outside }) => [tar(symlink("s", outside), file("s/secret", "overwritten"))],
    ({ outside }) => [`${outside}/secret`],
  ),
  contained(
    "A",
    "a file below a symlink that climbs",
    () => [tar(symlink("s", `${climb}/outside`), file("s/secret", "overwritten"))],
    () => ["outside/secret"],
  ),
  contained(
    "A",
    "a file below a symlink that climbs further than there are directories",
    ({ outside }) => [tar(symlink("s", `${"../".repeat(64)}${outside}`), file("s/secret", "overwritten"))],
    ({ outside }) => [`${outside}/secret`],
  ),
  contained("A", "a file below a chain of symlinks", ({ outside }) => [
    tar(symlink("a", "b/c"), symlink("b", "."), symlink("c", outside), file("a/secret", "overwritten")),
  ]),
  contained("A", "a file in an upper layer below a symlink of a lower one", ({ outside }) => [
    tar(symlink("etc", outside)),
    tar(file("etc/secret", "overwritten")),
  ]),
  contained("A", "a parent that is made of links to `..` (CVE-2020-27833)", () => [
    tar(
      directory("sub"),
      symlink("sub/parent", ".."),
      symlink("sub/parent/up", ".."),
      symlink("up/up2", "../.."),
      file("up/up2/outside/secret", "overwritten"),
    ),
  ]),
  contained("A", "a file in the place of a symlink to a file", ({ outside }) => [
    tar(symlink("s", `${outside}/secret`), file("s", "overwritten")),
  ]),
  contained("A", "a file in the place of a lower layer's symlink to a file", () => [
    tar(symlink("s", `${climb}/outside/secret`)),
    tar(file("s", "overwritten")),
  ]),
  contained("A", "a fifo, a directory and a symlink below a symlink", ({ outside }) => [
    tar(symlink("s", outside), fifo("s/fifo"), directory("s/folder", setuid), symlink("s/link", "/etc/passwd")),
  ]),
  {
    ...contained("A", "a device below a symlink", ({ outside }) => [
      tar(symlink("s", outside), device("s/device", "character", [1, 3])),
    ]),
    options: { devices: "placeholder" },
  },
  contained("A", "a directory that is remembered, then replaced by a symlink (CVE-2021-32803)", ({ outside }) => [
    tar(directory("d"), file("d/a", "1"), symlink("d", outside), file("d/secret", "overwritten")),
  ]),
  contained("A", "a remembered directory that is replaced under another spelling (CVE-2021-37701)", ({ outside }) => [
    tar(directory("d"), file("d/a", "1"), symlink("./d/.", outside), file("d//secret", "overwritten")),
  ]),
  contained("A", "a directory that is whited out and replaced by a symlink", ({ outside }) => [
    tar(directory("d"), file("d/a", "1")),
    tar(whiteout("d"), symlink("d", outside), file("d/secret", "overwritten")),
  ]),
  contained("A", "a symlink into /proc that leads to the host's root", ({ outside }) => [
    tar(symlink("s", "/proc/self/root"), file(`s${outside}/secret`, "overwritten")),
  ]),
  contained("A", "a symlink into /proc that leads to open files", () => [
    tar(symlink("s", "/proc/self/fd"), symlink("t", "/proc/self/cwd"), file("s/3/x", "1"), file("t/x", "1")),
  ]),
  contained("A", "a symlink whose expansion is longer than PATH_MAX (CVE-2025-4517)", () => longExpansion()),
  contained("A", "a link kept for a directory entry that leads outside", ({ outside }) => [
    tar(symlink("s", outside)),
    tar(directory("s", setuid), file("s/secret", "overwritten")),
  ]),
  {
    ...contained("A", "a kept link to a directory that exists inside and outside", ({ outside }) => [
      tar(directory(outside), symlink("s", outside)),
      tar(directory("s", setuid), file("s/secret", "overwritten")),
    ]),
    options: { keepDirlinks: true },
  },
  refused("A", "a file below a symlink to itself", "ENTRY_REFUSED", () => [tar(symlink("s", "s"), file("s/x", "1"))]),
  refused("A", "a file below a symlink that grows whenever it is followed", "ENTRY_REFUSED", () => [
    tar(symlink("s", "s/s"), file("s/x", "1")),
  ]),
  refused("A", "a file below more symlinks than Linux follows", "ENTRY_REFUSED", () => [
    tar(...Array.from({ length: 60 }, (_, n) => symlink(`s${n}`, `s${n + 1}`)), file("s0/x", "1")),
  ]),
];

/** Class A: hard links to what the archive does not own. */
const throughHardLinks: readonly HostileCase[] = [
  refused("A", "a hard link to an absolute path outside", "ENTRY_REFUSED", ({ outside }) => [
    tar(hardlink("h", `${outside}/secret`)),
  ]),
  contained("A", "a file in the place of a hard link to an absolute path outside", ({ outside }) => [
    tar(hardlink("h", `${outside}/secret`), file("h", "overwritten")),
  ]),
  refused("A", "a hard link to a path that climbs", "ENTRY_REFUSED", () => [
    tar(hardlink("h", `${climb}/outside/secret`)),
  ]),
  refused("A", "a hard link to a path below a symlink that leads outside", "ENTRY_REFUSED", ({ outside }) => [
    tar(symlink("s", outside), hardlink("h", "s/secret")),
  ]),
  refused("A", "a hard link that is relative to the working directory (CVE-2026-50163)", "ENTRY_REFUSED", () => [
    tar(hardlink("d/h", "package.json")),
  ]),
  contained("A", "a file in the place of a hard link to a symlink", ({ outside }) => [
    tar(symlink("s", `${outside}/secret`), hardlink("h", "s"), file("h", "overwritten")),
  ]),
  contained("A", "a hard link below a symlink that leads outside", ({ outside }) => [
    tar(file("a", "1"), symlink("s", outside), hardlink("s/secret", "a")),
  ]),
  contained("A", "a hard link that is deferred, and below whose parent a symlink appears", ({ outside }) => [
    tar(directory("d"), hardlink("d/secret", "a"), symlink("e", outside), file("a", "1")),
  ]),
];

/** Class A: names that say themselves where they lead. */
const throughNames: readonly HostileCase[] = [
  refused("A", "a path that climbs", "ENTRY_REFUSED", () => [tar(file(`${climb}/outside/secret`, "overwritten"))]),
  refused("A", "an absolute path that climbs", "ENTRY_REFUSED", () => [tar(file("/../../outside/secret", "x"))]),
  refused("A", "a path that goes down and climbs", "ENTRY_REFUSED", () => [
    tar(directory("a/b"), file("a/b/../../../../outside/secret", "overwritten")),
  ]),
  refused("A", "a path that climbs behind a symlink", "ENTRY_REFUSED", ({ outside }) => [
    tar(symlink("s", `${outside}/folder`), file("s/../secret", "overwritten")),
  ]),
  refused("A", "a pax path that climbs, over a harmless header", "ENTRY_REFUSED", () => [
    tar(pax({ path: "../../outside/secret" }), file("harmless", "overwritten")),
  ]),
  refused("A", "a GNU long name that climbs, over a harmless header", "ENTRY_REFUSED", () => [
    tar(gnuLongName("../../outside/secret"), file("harmless", "overwritten", { dialect: "gnu" })),
  ]),
  refused("A", "a ustar prefix that climbs", "ENTRY_REFUSED", () => [
    tar(file("secret", "overwritten", { dialect: "ustar", header: { prefix: "../../outside" } })),
  ]),
  refused("A", "a pax link target that climbs, over a harmless header", "ENTRY_REFUSED", () => [
    tar(file("a", "1"), pax({ linkpath: "../../outside/secret" }), hardlink("h", "a")),
  ]),
  refused("A", "a GNU long link target that climbs, over a harmless header", "ENTRY_REFUSED", () => [
    tar(file("a", "1"), gnuLongLink("../../outside/secret"), hardlink("h", "a", { dialect: "gnu" })),
  ]),
  contained(
    "A",
    "an absolute path",
    ({ outside }) => [tar(file(`${outside}/secret`, "overwritten"), file(`//${outside}/program`, "overwritten"))],
    ({ outside }) => [`${outside}/secret`],
  ),
  contained("A", "names that other systems take for paths", () => [
    tar(
      file("..\\..\\outside\\secret", "1"),
      file("C:\\secret", "1"),
      file("....//secret", "1"),
      file(".. /secret", "1"),
    ),
  ]),
  refused("A", "a NUL that hides the end of a pax path", "INVALID_ARCHIVE", () => [
    tar(pax({ path: "../../outside/secret\0harmless" }), file("x", "1")),
  ]),
];

/** Class B: an attribute that is set on what a link leads to. */
const attributes: readonly HostileCase[] = [
  contained("B", "a mode in a hard link to a symlink (CVE-2021-32760)", ({ outside }) => [
    tar(symlink("s", `${outside}/secret`), hardlink("h", "s", setuid)),
  ]),
  contained("B", "a directory's mode over a symlink (CVE-2026-33056)", ({ outside }) => [
    tar(symlink("s", outside), directory("s", setuid)),
  ]),
  contained("B", "a directory's mode over a lower layer's symlink", ({ outside }) => [
    tar(symlink("s", `${outside}/folder`)),
    tar(directory("s/", setuid)),
  ]),
  contained("B", "a directory's mode that waits for the end, when a symlink stands there", ({ outside }) => [
    tar(directory("d", setuid), directory("d/folder", setuid), symlink("d", outside)),
  ]),
  contained("B", "a parent's mode that waits for the end, when a symlink stands there", () => [
    tar(directory("a/b", setuid), file("a/b/c", "1"), symlink("a", `${climb}/outside`)),
  ]),
  contained("B", "a mode that waits for the end of a layer, below a link that the next one makes", ({ outside }) => [
    tar(directory("d", setuid), directory("d/folder", { mode: 0 })),
    tar(whiteout("d"), symlink("d", outside)),
  ]),
  contained("B", "the mode, owner, time and attributes of a symlink", ({ outside }) => [
    tar(symlink("s", `${outside}/secret`, { ...setuid, uid: 1, xattrs: { "user.canary": "dead" } })),
  ]),
  contained("B", "attributes of a file that replaces a symlink", ({ outside }) => [
    tar(symlink("s", `${outside}/secret`), file("s", "", { ...setuid, xattrs: { "user.canary": "dead" } })),
  ]),
  contained("B", "an opaque whiteout's directory that is a symlink", ({ outside }) => [
    tar(symlink("s", `${outside}/folder`)),
    tar(opaque("s"), directory("s", setuid)),
  ]),
];

/** Class C: what is done to the root itself. */
const roots: readonly HostileCase[] = [
  refused("C", "a root that is a symlink, `/.` (CVE-2021-29136)", "ENTRY_REFUSED", ({ outside }) => [
    tar(symlink("/.", outside), file("secret", "overwritten")),
  ]),
  refused("C", "a root that is a symlink, `./`", "ENTRY_REFUSED", () => [
    tar(entry("2", "./", `${climb}/outside`, noBody), file("secret", "overwritten")),
  ]),
  refused("C", "a root that is a hard link", "ENTRY_REFUSED", () => [tar(file("a", "1"), hardlink(".", "a"))]),
  refused("C", "a root that is a file", "ENTRY_REFUSED", () => [tar(entry("0", ".", "", noBody))]),
  refused("C", "a root reached by `..` that is a symlink", "ENTRY_REFUSED", ({ outside }) => [
    tar(directory("a"), symlink("a/..", outside), file("secret", "overwritten")),
  ]),
];

/** Class D: what a whiteout removes. */
const whiteouts: readonly HostileCase[] = [
  ...[".wh.", ".wh..", ".wh...", "d/.wh..", "d/.wh..."].map((name) =>
    refused("D", `a whiteout named ${name}`, "ENTRY_REFUSED", () => [tar(directory("d")), tar(file(name))]),
  ),
  contained("D", "a whiteout below a symlink that leads outside", ({ outside }) => [
    tar(symlink("s", outside)),
    tar(whiteout("s/secret"), whiteout("s/folder")),
  ]),
  contained("D", "an opaque whiteout below a symlink that leads outside", () => [
    tar(symlink("s", `${climb}/outside`)),
    tar(opaque("s")),
  ]),
  contained("D", "a whiteout of a directory that holds links to the outside", ({ outside }) => [
    tar(symlink("d/a", outside), symlink("d/b/c", `${climb}/../outside`), directory("d/e")),
    tar(whiteout("d")),
  ]),
  contained("D", "an opaque whiteout of a directory that holds links to the outside", ({ outside }) => [
    tar(symlink("d/a", outside), symlink("d/b/c", `${outside}/folder`)),
    tar(opaque("d")),
  ]),
  contained("D", "a file in the place of a directory that holds links to the outside", ({ outside }) => [
    tar(symlink("d/a", outside), symlink("d/b/c", `${outside}/folder`)),
    tar(file("d", "1")),
  ]),
  contained("D", "a whiteout in a reserved folder that climbs", () => [
    tar(file("a/.wh.b/.wh.secret", ""), file("a/.wh..wh.plnk/x", "")),
  ]),
  refused("D", "a whiteout on a path that climbs", "ENTRY_REFUSED", () => [tar(whiteout(`${climb}/outside/secret`))]),
  contained("D", "a whiteout of two thousand directories in each other", () => [
    tar(file(`${"d/".repeat(1990)}x`, "1")),
    tar(whiteout("d")),
  ]),
];

export const linkCases: readonly HostileCase[] = [
  ...throughLinks,
  ...throughHardLinks,
  ...throughNames,
  ...attributes,
  ...roots,
  ...whiteouts,
];

/** Sixteen times a long directory and a short link to it, then a link out of all of them. */
function longExpansion(): readonly Uint8Array[] {
  const long = "d".repeat(247);
  const names = [..."abcdefghijklmnop"];
  const short = (count: number) => names.slice(0, count).join("/");
  const steps = names.flatMap((name, depth) => {
    const here = depth === 0 ? "" : `${short(depth)}/`;
    return [directory(`${here}${long}`), symlink(`${here}${name}`, long)];
  });
  const deep = `${short(names.length)}/${"l".repeat(254)}`;
  return [
    tar(
      ...steps,
      symlink(deep, "../".repeat(names.length)),
      symlink("escape", `${deep}/../../../outside`),
      file("escape/secret", "overwritten"),
    ),
  ];
}
