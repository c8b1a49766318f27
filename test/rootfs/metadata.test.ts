import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { closeDescriptor, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { openRootfs } from "../../src/rootfs/rootfs.ts";
import { built } from "../support/building.ts";
import { directory, fifo, file, pieces, symlink } from "../support/entries.ts";
import { scratch } from "../support/scratch.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";

const capability = Uint8Array.of(1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

describe("metadata", { skip: skipUnlessRoot() }, () => {
  test("is what the entry says: owner, every bit of the mode, attributes, times", () => {
    const mtime = { seconds: -3, nanoseconds: 999_999_999 };
    const said = { uid: 1000, gid: 4_294_967_294, mtime };
    using rootfs = built([
      [
        file("f", "1", { ...said, mode: 0o6751, xattrs: { "security.capability": capability, "user.a": "" } }),
        directory("d", { ...said, mode: 0o3750, xattrs: { "user.b": Uint8Array.of(0, 255) } }),
        symlink("s", "f", said),
        fifo("p", { ...said, mode: 0o4622 }),
        file("secret", "1", { mode: 0, xattrs: { "user.c": "1" } }),
      ],
    ]);
    const common = { owner: "1000:4294967294", mtime: "-3.999999999" };
    const { f, d, s, p, secret } = rootfs.tree;
    assert.deepEqual({ ...f, ...common, mode: "6751" }, f);
    assert.deepEqual(f?.xattrs, { "security.capability": String.fromCharCode(...capability), "user.a": "" });
    assert.deepEqual({ ...d, ...common, mode: "3750", xattrs: { "user.b": "\0\xff" } }, d);
    assert.deepEqual({ ...s, ...common }, s);
    assert.deepEqual({ ...p, ...common, mode: "4622" }, p);
    assert.deepEqual([secret?.mode, secret?.xattrs], ["0000", { "user.c": "1" }]);
    assert.deepEqual([rootfs.skipped, rootfs.warnings], [[], []]);
  });

  test("is not what the place of the root passes on: its group, its default ACL, the umask", {
    skip: skipWithout("setfacl"),
  }, () => {
    const umask = process.umask(0o077);
    try {
      using rootfs = built(
        [[file("a", "1", { mode: 0o666 }), file("d/b", "1", { gid: 7 }), directory("e", { mode: 0o777 })]],
        {
          before(path) {
            execFileSync("setfacl", ["-d", "-m", "u:12345:rwx,g::---", path]);
            chownSync(path, 0, 54_321);
            chmodSync(path, 0o2770);
          },
        },
      );
      const seen = Object.entries(rootfs.tree).map(([path, { mode, owner, xattrs }]) => [path, mode, owner, xattrs]);
      assert.deepEqual(seen, [
        [".", "0755", "0:0", {}],
        ["a", "0666", "0:0", {}],
        ["d", "0755", "0:0", {}],
        ["d/b", "0644", "0:7", {}],
        ["e", "0777", "0:0", {}],
      ]);
    } finally {
      process.umask(umask);
    }
  });

  test("a set-group-ID directory and a default ACL pass nothing on to the children that the image describes", {
    skip: skipWithout("setfacl", "setfattr"),
  }, () => {
    const acl = execFileSync("sh", ["-c", aclScript], { encoding: "latin1" });
    const value = Uint8Array.from(acl, (character) => character.charCodeAt(0));
    using rootfs = built([
      [
        directory("d", { mode: 0o2775, gid: 50, xattrs: { "system.posix_acl_default": value } }),
        file("d/a", "1", { mode: 0o600 }),
        directory("d/e", { mode: 0o700 }),
      ],
    ]);
    assert.deepEqual(rootfs.tree.d?.xattrs, { "system.posix_acl_default": acl });
    const { "d/a": a, "d/e": e } = rootfs.tree;
    assert.deepEqual(
      [a?.mode, a?.owner, a?.xattrs, e?.mode, e?.owner, e?.xattrs],
      ["0600", "0:0", {}, "0700", "0:0", {}],
    );
  });

  test("of a directory is replaced whole by a later entry, and left alone by its children", () => {
    using rootfs = built([
      [
        directory("d", { mode: 0o700, uid: 5, mtime: 5, xattrs: { "user.a": "1", "user.b": "1" } }),
        directory("e", { mtime: 6 }),
      ],
      [file("e/new"), directory("d", { mtime: 7, xattrs: { "user.b": "2" } })],
    ]);
    const { mode, owner, mtime, xattrs } = rootfs.tree.d ?? {};
    assert.deepEqual([mode, owner, mtime, xattrs], ["0755", "0:0", "7.000000000", { "user.b": "2" }]);
    assert.equal(rootfs.tree.e?.mtime, "6.000000000");
  });

  test("stated owners are ignored on request", () => {
    using rootfs = built([[file("a", "1", { uid: 5 }), directory("d", { gid: 6 }), symlink("s", "a", { uid: 7 })]], {
      owner: "ignore",
    });
    assert.deepEqual(new Set(Object.values(rootfs.tree).map(({ owner }) => owner)), new Set(["0:0"]));
  });
});

/** Prints the default ACL `user::rwx,user:12345:rwx,group::---,mask::rwx,other::---` as the kernel stores it. */
const aclScript = `
  directory=$(mktemp -d) && setfacl -d -m u::rwx,u:12345:rwx,g::---,m::rwx,o::--- "$directory" &&
  getfattr --only-values -n system.posix_acl_default "$directory" 2>/dev/null; rmdir "$directory"`;

test("a file gets its set-user-ID bit when its content is there, not before", async () => {
  await using place = await scratch();
  const handle = openDirectoryPath(place.directory);
  const rootfs = openRootfs(handle, applySettings(), { skipped: () => {}, warning: () => {} });
  const modeOnDisk = () => lstatSync(join(place.directory, "a")).mode & 0o7777;
  const meanwhile: number[] = [];
  const content = pieces(Buffer.from("#!/bin/sh\n"));
  try {
    rootfs.beginLayer(0).apply(file("a", "#!/bin/sh\n", { mode: 0o6711 }).entry, {
      read() {
        meanwhile.push(modeOnDisk());
        return content.read();
      },
    });
    assert.deepEqual(
      meanwhile.map((mode) => mode & 0o7000),
      [0, 0, 0],
    );
    assert.equal(modeOnDisk(), 0o6711);
  } finally {
    rootfs.close();
    closeDescriptor(handle);
  }
});

test("access-control lists of many directories, which have to wait, are no way to fill the memory", () => {
  const xattrs = { "system.posix_acl_default": "x".repeat(1_000_000) };
  const directories = Array.from({ length: 20 }, (_, n) => directory(`d${n}`, { xattrs }));
  assert.throws(
    () => built([directories], { limits: { memoryBytes: 16_000_000 } }),
    (error) => isOciUnpackError(error, "LIMIT_EXCEEDED") && /access-control lists/.test(error.message),
  );
});

describe("extended attributes", () => {
  const layer = [file("a", "1", { xattrs: { "user.a": "1", "user.overlay.opaque": "y", "security.selinux": "x" } })];

  test("that belong to another machine are left out, with a warning where they would act on this one", () => {
    using rootfs = built([layer]);
    assert.deepEqual(rootfs.tree.a?.xattrs, { "user.a": "1" });
    assert.deepEqual(rootfs.skipped, ["a: xattr-filtered", "a: xattr-filtered"]);
    assert.deepEqual(rootfs.warnings, ["XATTR_NOT_APPLIED a"]);
  });

  test("are chosen by name, to be set or to be left out", () => {
    using included = built([layer], { xattrInclude: ["user.overlay.*"] });
    using excluded = built([layer], { xattrInclude: ["user.*"], xattrExclude: ["user.a"] });
    assert.deepEqual(included.tree.a?.xattrs, { "user.a": "1", "user.overlay.opaque": "y" });
    assert.deepEqual(excluded.tree.a?.xattrs, { "user.overlay.opaque": "y" });
  });

  test("that cannot be stored are reported, or refused where one is strict", () => {
    const unheardOf = [
      file("a", "1", { xattrs: { "system.unheard-of": "1", "user.a": "1" } }),
      symlink("s", "a", { xattrs: { "user.b": "1" } }),
    ];
    using rootfs = built([unheardOf]);
    assert.deepEqual(rootfs.tree.a?.xattrs, { "user.a": "1" });
    assert.deepEqual(rootfs.skipped, ["a: xattr-unsupported", "s: xattr-denied"]);
    assert.deepEqual(rootfs.warnings, ["XATTR_NOT_APPLIED a", "XATTR_NOT_APPLIED s"]);
    assert.throws(
      () => built([unheardOf], { strict: true }),
      (error) => isOciUnpackError(error, "STRICT_VIOLATION"),
    );
  });
});

test("an owner that no file can have is refused, not cut to one that it can", () => {
  for (const id of [-1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
    for (const member of [file("a", "", { uid: id }), directory("a", { gid: id }), symlink("a", "b", { uid: id })]) {
      assert.throws(
        () => built([[member]], { owner: "ignore" }),
        (error) => isOciUnpackError(error, "ENTRY_REFUSED"),
      );
    }
  }
});
