import { defaultMtime, device, directory, file, tar, whiteout } from "../support/tar-builder.ts";
import type { Difference } from "../support/tree-differences.ts";

/** An image that umoci and we read differently on purpose; what is ours is what the rule says. */
export interface Disagreement {
  readonly rule: string;
  readonly title: string;
  readonly layers: readonly Uint8Array[];
  readonly expected: readonly Pick<Difference, "path" | "field" | "ours">[];
}

const epoch = "0.000000000";
const stated = `${defaultMtime}.000000000`;

export const disagreements: readonly Disagreement[] = [
  {
    rule: "T19",
    title: "the times of directories that no layer names, and of those they are made in",
    layers: [tar(directory("./"), file("implied/too/file"))],
    expected: [
      { path: ".", field: "mtime", ours: stated },
      { path: "implied", field: "mtime", ours: epoch },
      { path: "implied/too", field: "mtime", ours: epoch },
    ],
  },
  {
    rule: "T29",
    title: "device nodes, which we leave out",
    layers: [tar(directory("./"), directory("dev"), device("dev/null", "character", [1, 3]))],
    expected: [{ path: "dev/null", field: "presence", ours: undefined }],
  },
  {
    rule: "W20",
    title: "what AUFS kept for itself, which is no part of an image",
    layers: [tar(directory("./"), directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.2"))],
    expected: [
      { path: ".", field: "mtime", ours: stated },
      { path: ".wh..wh.plnk", field: "presence", ours: undefined },
      { path: ".wh..wh.plnk/1.2", field: "presence", ours: undefined },
    ],
  },
  {
    rule: "W22",
    title: "names that only whiteouts may have, which we leave out",
    layers: [tar(directory("./"), directory("d"), file("d/.wh.x/y"))],
    expected: [
      { path: "d", field: "mtime", ours: stated },
      { path: "d/.wh.x", field: "presence", ours: undefined },
      { path: "d/.wh.x/y", field: "presence", ours: undefined },
    ],
  },
  {
    rule: "W4",
    title: "a directory that its layer hides and implies, which gets the attributes of an implied one",
    layers: [
      tar(directory("./"), directory("d", { mode: 0o700, uid: 7 }), file("d/x")),
      tar(file("d/y"), whiteout("d")),
    ],
    expected: [
      { path: "d", field: "mode", ours: "0755" },
      { path: "d", field: "owner", ours: "0:0" },
      { path: "d", field: "mtime", ours: epoch },
    ],
  },
];
