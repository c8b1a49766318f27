import assert from "node:assert/strict";
import { lstatSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { device, directory, fifo, file, symlink, tar } from "../support/tar-builder.ts";
import { base256 } from "../support/tar-header.ts";
import { sparseOldGnu, sparsePax00, sparsePax01, sparsePax10 } from "../support/tar-sparse.ts";
import { is } from "./expected.ts";
import type { LayerRule } from "./rule.ts";

/** `cap_net_raw=ep`: revision 2, effective, bit 13 permitted (linux/capability.h, struct vfs_cap_data). */
const netRaw = Uint8Array.of(1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

const MiB = 1024 * 1024;
const holed = {
  runs: [
    { offset: MiB, content: "data" },
    { offset: 4 * MiB, content: "" }, // GNU tar ends every map like this
  ],
  size: 4 * MiB,
};
const sparseFormats = {
  "old GNU": sparseOldGnu,
  "pax 0.0": sparsePax00,
  "pax 0.1": sparsePax01,
  "pax 1.0": sparsePax10,
};

/** Rules M1–M23: owners, modes, times, extended attributes, devices, holes. */
export const metadataRules: readonly LayerRule[] = [
  {
    rule: "M1",
    claim: "set-user-ID and set-group-ID survive the change of owner",
    layers: [tar(file("su", "1", { mode: 0o4755, uid: 5 }), file("sg", "1", { mode: 0o2755, uid: 5, gid: 6 }))],
    outcome: { su: is.file("1", { mode: 0o4755, uid: 5 }), sg: is.file("1", { mode: 0o2755, uid: 5, gid: 6 }) },
  },
  {
    rule: "M2",
    claim: "a file capability survives content, owner, mode and time",
    layers: [
      tar(file("ping", "program", { mode: 0o755, uid: 5, xattrs: { "security.capability": netRaw, "user.a": "1" } })),
    ],
    outcome: {
      ping: is.file("program", { mode: 0o755, uid: 5, xattrs: { "security.capability": netRaw, "user.a": "1" } }),
    },
  },
  {
    rule: "M3",
    claim: "a file of group 0 in a set-group-ID directory belongs to group 0",
    layers: [tar(directory("d", { mode: 0o2755, gid: 50 }), file("d/a", "1"), directory("d/e"), symlink("d/s", "a"))],
    outcome: {
      d: is.directory({ mode: 0o2755, gid: 50 }),
      "d/a": "1",
      "d/e": is.directory(),
      "d/s": is.symlink("a"),
    },
  },
  {
    rule: "M3",
    claim: "an implied directory in a set-group-ID directory is 0755 and belongs to group 0",
    layers: [tar(directory("d", { mode: 0o2755, gid: 50 }), file("d/e/f", "1"))],
    outcome: { d: is.directory({ mode: 0o2755, gid: 50 }), "d/e": is.implied(), "d/e/f": "1" },
  },
  {
    rule: "M4",
    claim: "the caller's umask changes no mode",
    layers: [
      tar(
        file("a", "1", { mode: 0o666 }),
        directory("d", { mode: 0o777 }),
        fifo("p", { mode: 0o622 }),
        file("i/j", "2"),
      ),
    ],
    outcome: {
      a: is.file("1", { mode: 0o666 }),
      d: is.directory({ mode: 0o777 }),
      p: is.fifo({ mode: 0o622 }),
      i: is.implied(),
      "i/j": "2",
    },
  },
  {
    rule: "M6",
    claim: "a directory's new entry takes away the extended attributes that it does not repeat",
    layers: [
      tar(directory("d", { xattrs: { "user.a": "1", "user.b": "1" } }), file("d/x", "1")),
      tar(directory("d", { xattrs: { "user.b": "2" } })),
    ],
    outcome: { d: is.directory({ xattrs: { "user.b": "2" } }), "d/x": "1" },
  },
  {
    rule: "M6",
    claim: "an implied parent keeps the extended attributes of the lower directory",
    layers: [tar(directory("d", { xattrs: { "user.a": "1" } })), tar(file("d/x", "1"))],
    outcome: { d: is.directory({ xattrs: { "user.a": "1" } }), "d/x": "1" },
  },
  {
    rule: "M7",
    claim: "labels and measurements of the machine that built the layer are left out",
    layers: [
      tar(
        file("a", "1", {
          xattrs: {
            "security.selinux": "system_u:object_r:etc_t:s0\0",
            "security.ima": "x",
            "security.evm": "x",
            "system.nfs4_acl": "x",
            "btrfs.compression": "zstd",
            "user.rootlesscontainers": "x",
            "user.kept": "1",
          },
        }),
      ),
    ],
    outcome: { a: is.file("1", { xattrs: { "user.kept": "1" } }) },
    skipped: ["xattr-filtered"],
  },
  {
    rule: "M8",
    claim: "attributes that an overlay mount would obey are left out",
    layers: [
      tar(
        directory("d", { xattrs: { "trusted.overlay.opaque": "y", "user.overlay.opaque": "y" } }),
        file("a", "1", { xattrs: { "user.overlay.redirect": "/etc/shadow", "trusted.overlay.metacopy": "" } }),
      ),
    ],
    outcome: { a: "1", d: is.directory() },
    warnings: ["XATTR_NOT_APPLIED"],
    skipped: ["xattr-filtered"],
    elsewhere: "overlay: escaped as overlay.overlay.*",
  },
  {
    rule: "M9",
    claim: "an extended attribute that the file system cannot store is reported",
    layers: [tar(file("a", "1", { xattrs: { "system.unheard-of": "1", "user.a": "1" } }))],
    outcome: { a: is.file("1", { xattrs: { "user.a": "1" } }) },
    warnings: ["XATTR_NOT_APPLIED"],
    skipped: ["xattr-unsupported"],
  },
  {
    rule: "M11",
    claim: "a user's extended attribute on a symlink or a fifo, which Linux refuses, is reported",
    layers: [tar(symlink("s", "a", { xattrs: { "user.a": "1" } }), fifo("p", { xattrs: { "user.a": "1" } }))],
    outcome: { p: is.fifo(), s: is.symlink("a") },
    warnings: ["XATTR_NOT_APPLIED"],
    skipped: ["xattr-denied"],
  },
  {
    rule: "M13",
    claim: "times are kept to the nanosecond, on every type, before 1970 too",
    layers: [
      tar(
        file("a", "1", { mtime: { seconds: 1_234_567_890, nanoseconds: 123_456_789 } }),
        directory("d", { mtime: { seconds: -2, nanoseconds: 999_999_999 } }),
        symlink("s", "a", { mtime: { seconds: -1, nanoseconds: 1 } }),
        fifo("p", { mtime: { seconds: 0, nanoseconds: 7 } }),
      ),
    ],
    outcome: {
      a: is.file("1", { mtime: [1_234_567_890, 123_456_789] }),
      d: is.directory({ mtime: [-2, 999_999_999] }),
      s: is.symlink("a", { mtime: [-1, 1] }),
      p: is.fifo({ mtime: [0, 7] }),
    },
  },
  {
    rule: "M13",
    claim: "a time before 1970 in a GNU header is kept",
    layers: [tar(file("a", "1", { dialect: "gnu", header: { mtime: base256(-86_400, 12) } }))],
    outcome: { a: is.file("1", { mtime: -86_400 }) },
  },
  {
    rule: "M14",
    claim: "where no access time is said, it is the time of modification",
    layers: [tar(file("a", "1", { mtime: 77 }), file("b", "1", { mtime: 77, atime: 88 }))],
    outcome: { a: is.file("1", { mtime: 77 }), b: is.file("1", { mtime: 77 }) },
    also: (rootfs) => {
      const times = ["a", "b"].map((name) => lstatSync(join(rootfs, name)).atimeMs / 1000);
      assert.deepEqual(times, [77, 88]);
    },
  },
  {
    rule: "M15",
    claim: "a symlink has its own owner and time, and its mode touches nothing",
    layers: [
      tar(file("a", "1", { mode: 0o600, mtime: 5 }), symlink("s", "a", { mode: 0o777, uid: 7, gid: 8, mtime: 9 })),
    ],
    outcome: { a: is.file("1", { mode: 0o600, mtime: 5 }), s: is.symlink("a", { uid: 7, gid: 8, mtime: 9 }) },
  },
  {
    rule: "M16",
    claim: "owners from 0 to 4294967294 are kept",
    layers: [
      tar(file("a", "1", { uid: 2 ** 32 - 2, gid: 2 ** 31 }), file("b", "1", { uid: 2 ** 31 - 1, gid: 65_536 })),
    ],
    outcome: {
      a: is.file("1", { uid: 2 ** 32 - 2, gid: 2 ** 31 }),
      b: is.file("1", { uid: 2 ** 31 - 1, gid: 65_536 }),
    },
  },
  ...[2 ** 32 - 1, 2 ** 32, -1, 2 ** 53 - 1].flatMap((id) =>
    (["uid", "gid"] as const).map((which) => ({
      rule: "M16",
      claim: `a ${which} of ${id}, which would mean another owner or none, is refused`,
      layers: [tar(file("a", "1", { dialect: "gnu", [which]: id }))],
      outcome: "ENTRY_REFUSED" as const,
    })),
  ),
  {
    rule: "M17",
    claim: "bits of a mode that are no permissions mean nothing",
    layers: [tar(file("a", "1", { mode: 0o100644 }), directory("d", { mode: 0o40750 }))],
    outcome: { a: is.file("1", { mode: 0o644 }), d: is.directory({ mode: 0o750 }) },
  },
  {
    rule: "M18",
    claim: "owners are numbers, whatever names the archive has for them",
    layers: [tar(file("a", "1", { uid: 1234, gid: 2345, header: { userName: "root", groupName: "daemon" } }))],
    outcome: { a: is.file("1", { uid: 1234, gid: 2345 }) },
  },
  {
    rule: "M19",
    claim: "devices are left out and reported unless they are asked for",
    layers: [tar(device("null", "character", [1, 3]), device("loop0", "block", [7, 0]), file("a", "1"))],
    outcome: { a: "1" },
    skipped: ["device"],
  },
  {
    rule: "M19",
    claim: "devices are made on request, with their owner and mode",
    layers: [tar(device("null", "character", [1, 3], { mode: 0o666, uid: 5 }), device("loop0", "block", [7, 0]))],
    options: { devices: "create" },
    outcome: { null: is.device("character", "1:3", { mode: 0o666, uid: 5 }), loop0: is.device("block", "7:0") },
  },
  {
    rule: "M19",
    claim: "an empty file stands for a device on request",
    layers: [tar(device("null", "character", [1, 3], { mode: 0o666 }))],
    options: { devices: "placeholder" },
    outcome: { null: is.file("", { mode: 0o666 }) },
    skipped: ["device"],
  },
  {
    rule: "M19",
    claim: "a device is an error on request",
    layers: [tar(device("null", "character", [1, 3]))],
    options: { devices: "error" },
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "M19",
    claim: "a device number that Linux cannot express is refused",
    layers: [tar(device("big", "character", [4096, 2 ** 20]))],
    options: { devices: "create" },
    outcome: "ENTRY_REFUSED",
  },
  {
    rule: "M22",
    claim: "flags such as immutable mean nothing",
    layers: [tar(file("a", "1", { pax: { "SCHILY.fflags": "uchg,schg,immutable" } })), tar(file("a", "2"))],
    outcome: { a: "2" },
  },
  ...Object.entries(sparseFormats).map(([format, sparse]) => ({
    rule: "M23",
    claim: `a sparse file in the ${format} format has real holes`,
    layers: [tar(sparse("a", holed))],
    outcome: { a: is.file(`${"\0".repeat(MiB)}data${"\0".repeat(3 * MiB - 4)}`) },
    also: (rootfs: string) => {
      assert.ok(statSync(join(rootfs, "a")).blocks * 512 <= 64 * 1024, "the holes take no room");
      assert.equal(readFileSync(join(rootfs, "a")).length, 4 * MiB);
    },
  })),
];
