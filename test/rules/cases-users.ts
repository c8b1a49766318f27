import { Buffer } from "node:buffer";
import { chmodSync, chownSync } from "node:fs";
import type { SkipReason, WarningCode } from "../../src/index.ts";
import { ordinaryUser } from "../hostile/as-user.ts";
import { device, directory, file, hardlink, symlink, tar, whiteout } from "../support/tar-builder.ts";
import type { callers } from "./callers.ts";
import { type ExpectedTree, is } from "./expected.ts";

/**
 * A rule about what somebody gets who is not root of the machine, by the real command. Expected owners are the caller's
 * numbers: 0 is whoever that is.
 */
export interface UserRule {
  readonly rule: string;
  readonly claim: string;
  readonly layers: readonly Uint8Array[];
  /** Without it: an ordinary user. */
  readonly caller?: keyof typeof callers;
  readonly args?: readonly string[];
  /** Prepares the directory in which the target will be made. */
  readonly before?: (directory: string) => void;
  readonly outcome: ExpectedTree;
  readonly warnings?: readonly WarningCode[];
  readonly skipped?: readonly SkipReason[];
}

const capability = Uint8Array.of(1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
/** The same for one namespace: revision 3, with the user who is its root (struct vfs_ns_cap_data). */
function capabilityOf(root: number): Uint8Array {
  const bytes = Buffer.alloc(24);
  bytes.set(capability);
  bytes.writeUInt8(3, 3);
  bytes.writeUInt32LE(root, 20);
  return new Uint8Array(bytes);
}

const foreignGroup = 54_321;

/** What is different without root of the machine: nothing, as far as the kernel lets it. */
export const userRules: readonly UserRule[] = [
  {
    rule: "T21",
    claim: "directories that nobody may write to or enter get their children, and lose them again, all the same",
    layers: [
      tar(
        directory("a", { mode: 0o555 }),
        file("a/x", "1"),
        directory("b", { mode: 0 }),
        directory("b/c", { mode: 0 }),
        file("b/c/y", "2"),
        file("b/c/z", "3", { mode: 0 }),
      ),
      tar(whiteout("b/c/y"), file("a/w", "4"), hardlink("a/z", "b/c/z")),
      tar(whiteout("b"), file("b/n", "5")),
    ],
    outcome: {
      a: is.directory({ mode: 0o555 }),
      "a/x": "1",
      "a/w": "4",
      "a/z": is.file("3", { mode: 0 }),
      b: is.implied(),
      "b/n": "5",
    },
    warnings: ["LINK_ATTRIBUTES"],
  },
  {
    rule: "M1",
    claim: "files belong to the user, and keep set-user-ID, set-group-ID and the sticky bit",
    layers: [
      tar(
        file("su", "1", { mode: 0o4755, uid: 5, gid: 6 }),
        file("sg", "1", { mode: 0o2755, uid: 5, gid: 6 }),
        directory("tmp", { mode: 0o1777, uid: 5 }),
      ),
    ],
    outcome: {
      su: is.file("1", { mode: 0o4755 }),
      sg: is.file("1", { mode: 0o2755 }),
      tmp: is.directory({ mode: 0o1777 }),
    },
  },
  {
    rule: "M5",
    claim: "a set-group-ID bit that the kernel takes away is reported",
    layers: [tar(directory("./", { mode: 0o2755 }), file("a", "1"))],
    before: (parent) => {
      chownSync(parent, 61_234, foreignGroup);
      chmodSync(parent, 0o2755);
    },
    outcome: { ".": is.directory({ mode: 0o755, gid: foreignGroup }), a: "1" },
    warnings: ["SETGID_DROPPED"],
    skipped: ["mode"],
  },
  {
    rule: "M10",
    claim: "a file capability that only root may set is reported",
    layers: [tar(file("ping", "1", { mode: 0o755, xattrs: { "security.capability": capability, "user.a": "1" } }))],
    outcome: { ping: is.file("1", { mode: 0o755, xattrs: { "user.a": "1" } }) },
    warnings: ["XATTR_NOT_APPLIED"],
    skipped: ["xattr-denied"],
  },
  {
    rule: "M19",
    claim: "a device that only root may make is left out and reported, even when it was asked for",
    layers: [tar(device("null", "character", [1, 3]), file("a", "1"))],
    args: ["--devices", "create"],
    outcome: { a: "1" },
    skipped: ["device"],
  },
  {
    rule: "H14",
    claim: "files that others may not link to are linked by the one who owns them",
    layers: [
      tar(file("su", "1", { mode: 0o4755 }), file("no", "2", { mode: 0 }), symlink("s", "su")),
      tar(
        hardlink("su2", "su", { mode: 0o4755 }),
        hardlink("no2", "no", { mode: 0 }),
        hardlink("s2", "s", { mode: 0o777 }),
      ),
    ],
    outcome: {
      no: is.file("2", { mode: 0 }),
      no2: is.sameAs("no"),
      s: is.symlink("su"),
      s2: is.sameAs("s"),
      su: is.file("1", { mode: 0o4755 }),
      su2: is.sameAs("su"),
    },
  },
  {
    rule: "M12",
    claim: "a file capability that root of a user namespace sets counts in that namespace alone",
    caller: "root of a namespace with one user",
    layers: [tar(file("ping", "1", { mode: 0o755, xattrs: { "security.capability": capability, "user.a": "1" } }))],
    outcome: {
      ping: is.file("1", {
        mode: 0o755,
        xattrs: { "security.capability": capabilityOf(ordinaryUser.uid), "user.a": "1" },
      }),
    },
  },
  {
    rule: "M12",
    claim: "a file capability counts in the namespace whose root is another user of the machine",
    caller: "root of a namespace with many users",
    layers: [tar(file("ping", "1", { mode: 0o755, uid: 5, xattrs: { "security.capability": capability } }))],
    outcome: {
      ping: is.file("1", { mode: 0o755, uid: 5, xattrs: { "security.capability": capabilityOf(200_000) } }),
    },
  },
  {
    rule: "M1",
    claim: "owners that a user namespace does not have are reported, and modes kept",
    caller: "root of a namespace with one user",
    layers: [
      tar(
        file("su", "1", { mode: 0o4755, uid: 5, gid: 6 }),
        file("sg", "1", { mode: 0o2755 }),
        directory("tmp", { mode: 0o1777, gid: 5 }),
        symlink("s", "su", { uid: 5 }),
      ),
    ],
    outcome: {
      su: is.file("1", { mode: 0o4755 }),
      sg: is.file("1", { mode: 0o2755 }),
      tmp: is.directory({ mode: 0o1777 }),
      s: is.symlink("su"),
    },
    skipped: ["owner"],
  },
  {
    rule: "M1",
    claim: "owners that a user namespace has are the image's, and set-user-ID and set-group-ID survive them",
    caller: "root of a namespace with many users",
    layers: [
      tar(
        file("su", "1", { mode: 0o4755, uid: 5, gid: 6 }),
        directory("d", { mode: 0o2770, uid: 1000, gid: 65_535 }),
        file("d/a", "2"),
        symlink("d/s", "a", { uid: 65_535 }),
        file("beyond", "3", { uid: 65_536 }),
      ),
    ],
    outcome: {
      su: is.file("1", { mode: 0o4755, uid: 5, gid: 6 }),
      d: is.directory({ mode: 0o2770, uid: 1000, gid: 65_535 }),
      "d/a": "2",
      "d/s": is.symlink("a", { uid: 65_535 }),
      beyond: "3",
    },
    skipped: ["owner"],
  },
  {
    rule: "M8",
    claim: "a trusted attribute, which takes root of the machine, is reported by root of a user namespace",
    caller: "root of a namespace with many users",
    layers: [tar(file("a", "1", { xattrs: { "trusted.a": "1", "user.a": "1" } }))],
    outcome: { a: is.file("1", { xattrs: { "user.a": "1" } }) },
    warnings: ["XATTR_NOT_APPLIED"],
    skipped: ["xattr-denied"],
  },
  {
    rule: "M19",
    claim: "a device that root of a user namespace may not make is left out and reported, even when it was asked for",
    caller: "root of a namespace with many users",
    layers: [tar(device("null", "character", [1, 3]), file("a", "1"))],
    args: ["--devices", "create"],
    outcome: { a: "1" },
    skipped: ["device"],
  },
  {
    rule: "T21",
    claim: "root of a user namespace enters what nobody may enter, whoever owns it",
    caller: "root of a namespace with many users",
    layers: [
      tar(directory("a", { mode: 0, uid: 5 }), file("a/x", "1", { mode: 0, uid: 6 })),
      tar(whiteout("a/x"), file("a/y", "2", { uid: 7 })),
    ],
    outcome: { a: is.directory({ mode: 0, uid: 5 }), "a/y": is.file("2", { uid: 7 }) },
  },
];
