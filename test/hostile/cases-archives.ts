import assert from "node:assert/strict";
import { existsSync, lstatSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readTree } from "../rules/real-tree.ts";
import { type Image, image, stored } from "../support/image.ts";
import {
  device,
  directory,
  entry,
  fifo,
  file,
  gnuLongName,
  hardlink,
  pax,
  paxText,
  symlink,
  tar,
  tarWithoutEnd,
} from "../support/tar-builder.ts";
import { body, joined } from "../support/tar-header.ts";
import { sparseOldGnu, sparsePax01, sparsePax10 } from "../support/tar-sparse.ts";
import { contained, type HostileCase, refused } from "./case.ts";
import type { Place } from "./place.ts";

const MiB = 1024 * 1024;
const noBody = new Uint8Array(0);

/** An archive inside an archive: what a reader finds that loses its place. */
const smuggled = tarWithoutEnd(symlink("smuggled", "/"), file("smuggled/x", "1"));

/** Class H: a little that becomes a lot. */
const bombs: readonly HostileCase[] = [
  {
    ...refused("H", "a gzip bomb", "LIMIT_EXCEEDED", () => [tar(file("a", new Uint8Array(80 * MiB)))]),
    options: { limits: { expansionRatio: 100 } },
    also: assertNothingLeft,
  },
  {
    ...refused("H", "more decompressed bytes than allowed, over all layers", "LIMIT_EXCEEDED", () => [
      tar(file("a", new Uint8Array(1.5 * MiB))),
      tar(file("b", new Uint8Array(1.5 * MiB))),
    ]),
    options: { limits: { totalBytes: 2 * MiB } },
    also: assertNothingLeft,
  },
  {
    ...refused("H", "a file larger than allowed", "LIMIT_EXCEEDED", () => [tar(file("a", new Uint8Array(2 * MiB)))]),
    options: { limits: { fileBytes: 1 * MiB } },
    also: assertNothingLeft,
  },
  {
    ...refused("H", "more entries than allowed, over all layers", "LIMIT_EXCEEDED", () => [
      tar(...Array.from({ length: 60 }, (_, n) => file(`a${n}`))),
      tar(...Array.from({ length: 60 }, (_, n) => file(`b${n}`))),
    ]),
    options: { limits: { entries: 100 } },
    also: assertNothingLeft,
  },
  refused("H", "a pax header of two mebibytes", "LIMIT_EXCEEDED", () => [
    tar(pax({ comment: "x".repeat(2 * MiB) }), file("a")),
  ]),
  refused("H", "a pax header that states eight gibibytes (CVE-2017-14992)", "LIMIT_EXCEEDED", () => [
    tar(paxText("", { size: 8 * 1024 * MiB }), file("a")),
  ]),
  refused("H", "a GNU long name of two mebibytes (CVE-2022-2879)", "LIMIT_EXCEEDED", () => [
    tar(gnuLongName("x".repeat(2 * MiB)), file("a", "", { dialect: "gnu" })),
  ]),
  {
    ...contained("H", "a thousand extension headers for one entry, of which the last one counts", () => [
      tar(...Array.from({ length: 1000 }, (_, n) => pax({ [`SCHILY.xattr.user.${n}`]: "x".repeat(4000) })), file("a")),
    ]),
    also: ({ place }) => {
      const { a } = readTree(join(place.target, "rootfs"));
      assert.deepEqual(Object.keys(a?.xattrs ?? {}), ["user.999"]);
    },
  },
  {
    ...refused("H", "more extended attributes than allowed", "LIMIT_EXCEEDED", () => [
      tar(file("a", "", { xattrs: { "user.a": "x".repeat(600), "user.b": "x".repeat(600) } })),
    ]),
    options: { limits: { xattrBytes: 1000 } },
  },
  refused("H", "extended attributes of two mebibytes", "LIMIT_EXCEEDED", () => [
    tar(
      file("a", "", {
        xattrs: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`user.${n}`, "x".repeat(60_000)])),
      }),
    ),
  ]),
  {
    ...refused("H", "a sparse file of more segments than allowed (CVE-2025-58183)", "LIMIT_EXCEEDED", () => [
      tar(
        sparsePax10("a", {
          runs: Array.from({ length: 300 }, (_, n) => ({ offset: n * 1024, content: "x" })),
          size: 300 * 1024,
        }),
      ),
    ]),
    options: { limits: { sparseSegments: 100 } },
  },
  refused("H", "a sparse file of an exbibyte", "LIMIT_EXCEEDED", () => [
    tar(sparsePax01("a", { runs: [{ offset: 0, content: "x" }], size: 2 ** 52 })),
  ]),
  refused("H", "a path deeper than allowed", "LIMIT_EXCEEDED", () => [tar(file(`${"d/".repeat(3000)}x`, "1"))]),
  refused("H", "a path longer than allowed", "LIMIT_EXCEEDED", () => [
    tar(file(`${`${"d".repeat(250)}/`.repeat(300)}x`, "1")),
  ]),
  refused("H", "a symlink's target that no system takes", "ENTRY_REFUSED", () => [
    tar(symlink("s", "x/".repeat(4096))),
  ]),
];

/** Class I: two readers, two archives. */
const differentials: readonly HostileCase[] = [
  {
    ...contained(
      "I",
      "a pax size that hides an archive in a file (CVE-2025-62518)",
      () => [
        tarWithoutEnd(
          pax({ size: String(smuggled.length) }),
          joined(entry("0", "a", "", noBody), body(smuggled)),
          file("after", "1"),
          new Uint8Array(1024),
        ),
      ],
      () => ["a", "after"],
    ),
    also: assertNothingSmuggled,
  },
  refused("I", "a directory that states a size, with an archive for a body", "ENTRY_REFUSED", () => [
    // Read as Go reads it, what follows is entries: a link, and a file that climbs.
    tar(entry("5", "d/", "", noBody, { header: { size: 1024 } }), file("../escape", "1")),
  ]),
  {
    ...contained(
      "I",
      "an archive behind the end of the archive",
      () => [joined(tar(file("a", "1")), smuggled)],
      () => ["a"],
    ),
    also: assertNothingSmuggled,
  },
  contained(
    "I",
    "an archive behind a single block of zeros",
    () => [joined(tarWithoutEnd(file("a", "1")), new Uint8Array(512), smuggled)],
    () => ["a", "smuggled", "x"],
  ),
  refused("I", "a pax header before a single block of zeros", "INVALID_ARCHIVE", () => [
    joined(pax({ path: "b" }), new Uint8Array(512), tar(file("a", "1"))),
  ]),
  refused("I", "a negative size", "INVALID_ARCHIVE", () => [
    tar(file("a", "1", { header: { size: new Uint8Array(12).fill(0xff) } })),
  ]),
  refused("I", "a size beyond what numbers hold", "INVALID_ARCHIVE", () => [
    tar(
      file("a", "1", {
        header: { size: Uint8Array.of(0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff) },
      }),
    ),
  ]),
  refused("I", "a wrong checksum", "INVALID_ARCHIVE", () => [
    tar(file("a", "1", { header: { checksum: "000001\0 " } })),
  ]),
  refused("I", "a pax record whose length is a lie", "INVALID_ARCHIVE", () => [
    tar(paxText("99 path=../../outside/secret\n"), file("a", "1")),
  ]),
  refused("I", "a pax record whose length is nothing", "INVALID_ARCHIVE", () => [
    tar(paxText("0 path=../../outside/secret\n"), file("a", "1")),
  ]),
  refused("I", "a pax header for nothing", "INVALID_ARCHIVE", () => [tar(file("a", "1"), pax({ path: "b" }))]),
  refused("I", "sparse segments that overlap", "INVALID_ARCHIVE", () => [
    tar(
      sparseOldGnu("a", {
        runs: [
          { offset: 0, content: "x".repeat(1000) },
          { offset: 512, content: "y".repeat(1000) },
        ],
        size: 4096,
      }),
    ),
  ]),
  refused("I", "sparse segments beyond the end of the file", "INVALID_ARCHIVE", () => [
    tar(sparsePax01("a", { runs: [{ offset: 8192, content: "x" }], size: 4096 })),
  ]),
];

/** Class M: owners that become other owners. */
const owners: readonly HostileCase[] = [2 ** 32 - 1, 2 ** 32, 2 ** 33, -1].map((uid) =>
  refused("M", `a uid of ${uid}`, "ENTRY_REFUSED", () => [tar(file("a", "1", { dialect: "gnu", uid, mode: 0o4755 }))]),
);

/** Class N: what a later step would open, and follow. */
const trusted: readonly HostileCase[] = [
  contained("N", "an /etc/passwd that is a symlink to the outside", ({ outside }) => [
    tar(symlink("etc/passwd", `${outside}/secret`), symlink("etc/group", `${outside}/secret`)),
  ]),
  contained("N", "an /etc/passwd that is a fifo, where opening waits for ever", () => [
    tar(fifo("etc/passwd"), fifo("etc/group"), hardlink("etc/shadow", "etc/passwd")),
  ]),
  {
    ...refused("N", "a bundle's /etc/passwd that is a symlink to one outside", "INVALID_CONFIG", () => []),
    serve: (registry, { directory: place }) => {
      const outside = join(place, "passwd");
      writeFileSync(outside, "app:x:0:0::/:/bin/sh\n");
      return stored(registry, "hostile/image", asUserApp(tar(symlink("etc/passwd", outside))));
    },
    options: { bundle: true },
  },
  {
    ...refused("N", "a bundle's /etc/passwd that is a fifo", "INVALID_CONFIG", () => [tar(fifo("etc/passwd"))]),
    options: { bundle: true },
  },
  {
    ...refused("N", "a bundle's /etc/passwd of five mebibytes (CVE-2024-9676)", "INVALID_CONFIG", () => [
      tar(file("etc/passwd", new Uint8Array(5 * MiB))),
    ]),
    options: { bundle: true },
  },
  {
    ...refused("N", "a bundle's volume that climbs (CVE-2022-23648)", "INVALID_CONFIG", () => []),
    serve: (registry) => {
      const config = { config: { Volumes: { "/data/../../outside": {} } } };
      return stored(registry, "hostile/image", image([tar(file("a", "1"))], { config }));
    },
    options: { bundle: true },
  },
  {
    ...refused("N", "a bundle that starts in /proc/self/fd, by a symlink (CVE-2024-21626)", "INVALID_CONFIG", () => []),
    serve: (registry) => {
      const layer = tar(file("a", "1"), symlink("srv", "/proc/self/fd"));
      return stored(registry, "hostile/image", image([layer], { config: { config: { WorkingDir: "/srv/8" } } }));
    },
    options: { bundle: true },
  },
  contained("N", "a fifo in the place of a file and a file in the place of a fifo", () => [
    tar(fifo("a"), file("b", "1")),
    tar(file("a", "1"), fifo("b")),
  ]),
];

/** An image that is to be run as a user of its own. */
function asUserApp(layer: Uint8Array): Image {
  return image([layer], { config: { config: { User: "app" } } });
}

/** Class O: on a file system that knows no difference, see test/hostile/case-insensitive.test.ts. */
const equalNames: readonly HostileCase[] = [
  contained(
    "O",
    "a directory and a symlink that differ in case (CVE-2021-37713)",
    ({ outside }) => [tar(directory("FOO"), file("FOO/a", "1"), symlink("foo", outside), file("foo/secret", "x"))],
    () => ["FOO/a"],
  ),
  contained(
    "O",
    "a directory and a symlink that differ in normalisation (CVE-2026-23950)",
    ({ outside }) => [
      tar(
        directory("caf\u00e9"),
        symlink("cafe\u0301", outside),
        file("cafe\u0301/secret", "x"),
        file("caf\u00e9/b", "1"),
      ),
    ],
    () => ["caf\u00e9/b"],
  ),
  contained("O", "a long s and a sharp s", ({ outside }) => [
    tar(directory("stra\u00dfe"), symlink("strasse", outside), file("stra\u00dfe/secret", "x")),
  ]),
];

/** Class P: what is dangerous by being there. */
const dangerous: readonly HostileCase[] = [
  {
    ...contained("P", "the host's disk and memory as devices", () => [
      tar(device("sda", "block", [8, 0], { mode: 0o666 }), device("mem", "character", [1, 1], { mode: 0o666 })),
    ]),
    also: ({ place }) => assert.ok(!existsSync(join(place.target, "rootfs", "sda")), "no device is made unasked"),
  },
  refused("P", "a hard link to a device outside", "ENTRY_REFUSED", () => [tar(hardlink("h", "/dev/mem"))]),
  {
    ...contained("P", "a set-user-ID program under a root that all may enter", () => [
      tar(directory("./", { mode: 0o777 }), file("sh", "#!/bin/sh\n", { mode: 0o6777 })),
    ]),
    also: ({ place }) => assert.equal(lstatSync(place.target).mode & 0o7777, 0o700),
  },
];

/** Class Q: names that the program itself uses beside the root. */
const ownNames: readonly HostileCase[] = [
  contained(
    "Q",
    "an image with a rootfs, a config.json and staging directories of its own",
    ({ outside }) => [
      tar(symlink("rootfs", outside), symlink("config.json", `${outside}/secret`), symlink(".rootfs-aaaa", outside)),
    ],
    () => ["rootfs", "config.json"],
  ),
  refused("Q", "an entry for the config.json beside the root", "ENTRY_REFUSED", () => [
    tar(file("../config.json", "{}")),
  ]),
  refused("Q", "an entry for a rootfs beside the root", "ENTRY_REFUSED", ({ outside }) => [
    tar(symlink("../rootfs", outside)),
  ]),
  {
    ...contained("Q", "names that a terminal would obey", () => [
      tar(
        file("\x1b]0;owned\x07\x1b[2J", "1"),
        file("\x1b[31m/.wh.x/y", "1"),
        file("a\r\nb", "1"),
        device("\x9b31m", "character", [1, 3]),
      ),
    ]),
    args: ["--verbose"],
    also: ({ printed }) => assert.doesNotMatch(withoutLineBreaks(printed), /[\x00-\x1f\x7f-\x9f]/),
  },
];

function withoutLineBreaks(text: string): string {
  return text.replaceAll("\n", "");
}

function assertNothingSmuggled({ place }: { readonly place: Place }): void {
  assert.equal(lstatSync(join(place.target, "rootfs", "smuggled"), { throwIfNoEntry: false }), undefined);
}

function assertNothingLeft({ place }: { readonly place: Place }): void {
  assert.ok(!existsSync(place.target), "nothing is left of what was written before the limit");
}

export const archiveCases: readonly HostileCase[] = [
  ...bombs,
  ...differentials,
  ...owners,
  ...trusted,
  ...equalNames,
  ...dangerous,
  ...ownNames,
];
