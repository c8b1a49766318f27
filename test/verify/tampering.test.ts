import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { unpack, verify } from "../../src/index.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { device, directory, fifo, file, hardlink, symlink, tar } from "../support/tar-builder.ts";
import { half } from "../support/thorough.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";

const everyday = { seconds: 1_600_000_000, nanoseconds: 5 };

/** Something of every kind, for somebody to tamper with. */
const sample = image([
  tar(
    directory("./", { mtime: everyday }),
    directory("bin", { mtime: everyday }),
    file("bin/su", "su", { mode: 0o4755, xattrs: { "user.comment": "mine" } }),
    hardlink("bin/su2", "bin/su"),
    file("bin/true", "true", { mtime: everyday, mode: 0o755 }),
    file("bin/false", "false", { mode: 0o755 }),
    file("bin/one", "same"),
    file("bin/two", "same"),
    symlink("bin/sh", "dash"),
    fifo("queue"),
    device("null", "character", [1, 3]),
    file("empty"),
  ),
  tar(
    directory("bin/", { mtime: everyday }),
    directory("etc", { mtime: everyday }),
    file("etc/motd", "x".repeat(300_000)),
  ),
]);

/** Does something to a file and gives its directory, and maybe the file, their times back. */
function keepingTimes(path: string, work: () => void): void {
  const places = [path, join(path, "..")];
  const times = places.map((place) => execFileSync("stat", ["--format=%y", place], { encoding: "utf8" }).trim());
  work();
  for (const [index, place] of places.entries()) {
    execFileSync("touch", ["--no-dereference", `--date=${times[index]}`, place]);
  }
}

const changed = (path: string, ...parts: readonly string[]) => ({ kind: "changed", path, parts });

const tamperings: readonly (readonly [string, (root: string) => void, readonly object[]])[] = [
  [
    "content of the same size, with the time put back",
    (root) => keepingTimes(join(root, "bin/true"), () => writeFileSync(join(root, "bin/true"), "eurt")),
    [changed("bin/true", "content")],
  ],
  [
    "the last byte of a large file",
    (root) => {
      const path = join(root, "etc/motd");
      keepingTimes(path, () => writeFileSync(path, `${"x".repeat(299_999)}y`));
    },
    [changed("etc/motd", "content")],
  ],
  [
    "a file that became longer",
    (root) => keepingTimes(join(root, "empty"), () => writeFileSync(join(root, "empty"), "1")),
    [changed("empty", "size", "content")],
  ],
  ["a mode", (root) => chmodSync(join(root, "bin/true"), 0o777), [changed("bin/true", "mode")]],
  ["a set-user-ID bit", (root) => chmodSync(join(root, "bin/false"), 0o4755), [changed("bin/false", "mode")]],
  ["a directory's mode", (root) => chmodSync(join(root, "etc"), 0o777), [changed("etc", "mode")]],
  ["the root's mode", (root) => chmodSync(root, 0o700), [changed(".", "mode")]],
  ["an owner", (root) => chownSync(join(root, "empty"), 1000, 0), [changed("empty", "owner")]],
  ["a group", (root) => chownSync(join(root, "etc"), 0, 5), [changed("etc", "owner")]],
  ["a time", (root) => utimesSync(join(root, "empty"), 5, 1_000_000_001), [changed("empty", "time")]],
  ["a symlink's time", (root) => lutimesSync(join(root, "bin/sh"), 5, 5), [changed("bin/sh", "time")]],
  [
    "a nanosecond",
    (root) => execFileSync("touch", ["-d", "@1600000000.000000006", join(root, "bin/true")]),
    [changed("bin/true", "time")],
  ],
  [
    "an extended attribute's value",
    (root) => setfattr(root, "bin/su", "user.comment", "yours"),
    [changed("bin/su", "xattrs"), changed("bin/su2", "xattrs")],
  ],
  ["a new extended attribute", (root) => setfattr(root, "empty", "user.new", "1"), [changed("empty", "xattrs")]],
  [
    "a file capability",
    (root) => setfattr(root, "empty", "security.capability", "0x0100000200200000000000000000000000000000"),
    [changed("empty", "xattrs")],
  ],
  [
    "an attribute that an overlay would obey",
    (root) => setfattr(root, "etc", "trusted.overlay.opaque", "y"),
    [changed("etc", "xattrs")],
  ],
  [
    "an access-control list",
    (root) => execFileSync("setfacl", ["-m", "u:1000:rw", join(root, "empty")]),
    [changed("empty", "xattrs")],
  ],
  [
    "an extended attribute that is gone",
    (root) => execFileSync("setfattr", ["-x", "user.comment", join(root, "bin/su")]),
    [changed("bin/su", "xattrs"), changed("bin/su2", "xattrs")],
  ],
  [
    "a link's target",
    (root) => replaced(root, "bin/sh", (path) => symlinkSync("bash", path)),
    [changed("bin/sh", "target")],
  ],
  [
    "a device's number",
    (root) => replaced(root, "null", (path) => execFileSync("mknod", ["-m", "600", path, "c", "1", "5"])),
    [changed("null", "device")],
  ],
  [
    "a character device that became a block device",
    (root) => replaced(root, "null", (path) => execFileSync("mknod", ["-m", "600", path, "b", "1", "3"])),
    [changed("null", "type")],
  ],
  ["a file that became a fifo", (root) => replaced(root, "bin/true", mkfifo), [changed("bin/true", "type")]],
  [
    "a file that became a symlink to its like",
    (root) => replaced(root, "empty", (path) => symlinkSync("bin/../empty2", path)),
    [changed("empty", "type")],
  ],
  [
    "a directory that became a symlink to its like",
    (root) => {
      keepingTimes(join(root, "etc"), () => {
        renameSync(join(root, "etc"), join(root, "../etc"));
        symlinkSync("../etc", join(root, "etc"));
      });
    },
    [changed("etc", "type")],
  ],
  [
    "a file that became a directory",
    (root) => replaced(root, "bin/true", (path) => mkdirSync(path)),
    [changed("bin/true", "type")],
  ],
  [
    "a hard link that became a copy",
    (root) => {
      const path = join(root, "bin/su2");
      keepingTimes(path, () => {
        execFileSync("cp", ["--archive", join(root, "bin/su"), `${path}x`]);
        renameSync(`${path}x`, path);
      });
    },
    [changed("bin/su2", "links")],
  ],
  [
    "two files that became one",
    (root) => replaced(root, "bin/two", (path) => linkSync(join(root, "bin/one"), path)),
    [changed("bin/two", "links")],
  ],
  ["an added file", (root) => writeFileSync(join(root, "bin/new"), ""), [{ kind: "added", path: "bin/new" }]],
  [
    "an added directory, and not what is in it",
    (root) => mkdirSync(join(root, "added/deep"), { recursive: true }),
    [{ kind: "added", path: "added" }],
  ],
  [
    "an added file, though the directory's time was put back",
    (root) => keepingTimes(join(root, "bin/true"), () => writeFileSync(join(root, "bin/new"), "")),
    [{ kind: "added", path: "bin/new" }],
  ],
  ["a missing file", (root) => unlinkSync(join(root, "bin/sh")), [{ kind: "missing", path: "bin/sh" }]],
  [
    "a missing directory, and not what was in it",
    (root) => rmSync(join(root, "etc"), { recursive: true }),
    [{ kind: "missing", path: "etc" }],
  ],
  [
    "a file that was replaced by its like, by the time of its directory",
    (root) => {
      execFileSync("cp", ["--archive", join(root, "bin/true"), join(root, "bin/copy")]);
      renameSync(join(root, "bin/copy"), join(root, "bin/true"));
    },
    [changed("bin", "time")],
  ],
];

function replaced(root: string, name: string, make: (path: string) => void): void {
  keepingTimes(join(root, name), () => {
    unlinkSync(join(root, name));
    make(join(root, name));
  });
}

function mkfifo(path: string): void {
  execFileSync("mkfifo", [path]);
}

function setfattr(root: string, path: string, name: string, value: string): void {
  execFileSync("setfattr", ["-n", name, "-v", value, join(root, path)]);
}

describe("tampering is detected:", { skip: skipUnlessRoot() || skipWithout("setfattr", "setfacl") }, () => {
  const options = { platform: "linux/amd64", devices: "create" } as const;
  let place: Scratch;
  let name = "";

  before(async () => {
    place = await scratch();
    const layout = join(place.directory, "layout");
    await writeImageLayout(layout, [{ tag: "x", images: [sample] }]);
    name = `oci:${layout}:x`;
    await unpack(name, join(place.directory, "pristine"), options);
  });
  after(() => place[Symbol.asyncDispose]());

  for (const [index, [what, tamper, expected]] of half([...tamperings.entries()])) {
    test(what, async () => {
      const target = join(place.directory, String(index));
      execFileSync("cp", ["--archive", join(place.directory, "pristine"), target]);
      tamper(join(target, "rootfs"));
      const { differences, differenceCount } = await verify(target, name, options);
      assert.deepEqual([differences, differenceCount], [expected, expected.length]);
    });
  }

  test("and where there was none, nothing is", async () => {
    const { differences } = await verify(join(place.directory, "pristine"), name, options);
    assert.deepEqual(differences, []);
  });
});
