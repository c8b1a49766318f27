import type { Defence } from "./defence.ts";

/** What keeps the work on merged trees and layers of overlays in proportion, and what maps of users keep from others. */
export const treeDefences: readonly Defence[] = [
  {
    group: "H",
    what: "patterns are matched in one pass over a path's names",
    file: "src/tree/selection.ts",
    without: ["next: new Set(reached)", "next: reached"],
    test: ["tree/selection", "a path of thousands of names is matched without trying all ways"],
  },
  {
    group: "H",
    what: "layers that leave a question open are merged again as often as costs little",
    file: "src/look/layers-so-far.ts",
    without: [" && this.#attemptBytes <= freeAttemptBytes + attemptShare * this.#readBytes", ""],
    test: ["look/layers-so-far", "layers that seem to have what is missing, and never do"],
  },
  {
    group: "H",
    what: "what layers below an overlay's layer have is hidden once",
    file: "src/layer/whiteouts.ts",
    without: ["if (directory.clearedIn === this.#layer) continue;", ""],
    test: ["overlay/growth", "what layers below have at the root is listed once"],
  },
  {
    group: "L",
    what: "users in access-control lists are mapped as owners are",
    file: "src/rootfs/xattr-ids.ts",
    without: ["return areMapped && acls.includes(name) ? mappedAcl(value, maps) : { value };", "return { value };"],
    test: ["rootfs/xattr-ids", "nobody on this machine gets rights by an access-control list or a file capability"],
  },
  {
    group: "P",
    what: "file capabilities are for the root of the map, not for the machine's users",
    file: "src/rootfs/xattr-ids.ts",
    without: ["if (name === capability) return mappedCapability(value, maps);", ""],
    test: ["rootfs/xattr-ids", "nobody on this machine gets rights by an access-control list or a file capability"],
  },
  {
    group: "H",
    what: "no tree is so deep that its handles are too many",
    file: "src/rootfs/descent.ts",
    without: ["if (far === undefined || far.descriptor < 0) return;", "return;"],
    test: ["verify/verify", "a tree of any depth is compared by a process that may open few files"],
  },
  {
    group: "verification",
    what: "a file that was changed in a kept tree is found out, whatever its times were set to",
    file: "src/clone/kept-source.ts",
    without: ["if (!isAt(ctime, listed.ctime) || !isAt(mtime, listed.mtime)) return false;", ""],
    test: [
      "clone/kept-root",
      "content of the same size, with its time put back is made anew, and no root is made of it, by",
    ],
  },
  {
    group: "verification",
    what: "so is one that came into it",
    file: "src/clone/kept-source.ts",
    without: [
      `if (!isAt(unchanged(stampOf(handle), name, "statx").ctime, ctime)) throw new TreeChanged("a directory was changed");`,
      "",
    ],
    test: ["clone/kept-root", "a file more is made anew, and no root is made of it, by"],
  },
  {
    group: "H",
    what: "the trees of two images that are compared share the memory of one",
    file: "src/diff/both-trees.ts",
    without: ["nobody, { base, memory })", "nobody, { base })"],
    test: ["diff/diff", "what both trees take is counted together"],
  },
  {
    group: "H",
    what: "and that of the entries that wait for the layers below them",
    file: "src/diff/held-layers.ts",
    without: [`this.#memory.spend(bytesOf(entry), "entries");`, ""],
    test: ["diff/diff", "what does not fit in memory while layers below are missing"],
  },
  {
    group: "H",
    what: "so do the hard links that are compared",
    file: "src/diff/linked-names.ts",
    without: [`this.#memory.spend(countedBytes, "hard links");`, ""],
    test: ["diff/diff", "what hard links take is counted too"],
  },
  {
    group: "H",
    what: "no difference repeats a long instruction whole",
    file: "src/diff/difference-lines.ts",
    without: ["createdBy && shortened(createdBy)", "createdBy"],
    test: ["diff/diff", "an instruction of any length is told once for each difference"],
  },
  {
    group: "K",
    what: "a password that is given for one registry reaches no other",
    file: "src/cli/diff-command.ts",
    without: ["insistOnOneRegistry(command, library);", ""],
    test: ["cli/diff", "the password for one registry is for no other"],
  },
];
