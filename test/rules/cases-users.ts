import { chmodSync, chownSync } from "node:fs";
import type { SkipReason, WarningCode } from "../../src/index.ts";
import { device, directory, file, hardlink, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { type ExpectedTree, is } from "./expected.ts";

/** A rule about what an ordinary user gets, by the real command. Expected owners say who else: 0 is the user. */
export interface UserRule {
  readonly rule: string;
  readonly claim: string;
  readonly layers: readonly Uint8Array[];
  readonly args?: readonly string[];
  /** Prepares the directory in which the target will be made. */
  readonly before?: (directory: string) => void;
  readonly outcome: ExpectedTree;
  readonly warnings?: readonly WarningCode[];
  readonly skipped?: readonly SkipReason[];
}

const capability = Uint8Array.of(1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const foreignGroup = 54_321;

/** What is different without root: nothing, as far as the kernel lets it. */
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
];
