import { OciUnpackError } from "../base/errors.ts";
import type { DifferentPart } from "../base/option-words.ts";
import { quoted } from "../layer/findings.ts";
import { pathIn } from "../layer/paths.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { identityAt } from "../linux/stat.ts";
import type { Rights } from "../linux/thread.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { Selection } from "../tree/selection.ts";
import { Comparison } from "../verify/comparison.ts";
import type { ComparisonObserver } from "../verify/comparison-observer.ts";
import type { FoundName } from "../verify/name-comparison.ts";
import { goingWith } from "./disk-walk.ts";
import { changedMeanwhile } from "./files-from-disk.ts";
import type { ImageTrees } from "./image-trees.ts";
import type { FileOnDisk, SyncPlan } from "./sync-plan.ts";

/** What a new root is to be. */
interface CheckedRoot {
  readonly trees: ImageTrees;
  /** Which files stay, and need only be those that were compared. */
  readonly plan: Pick<SyncPlan, "staying" | "areLinked">;
  readonly settings: RootfsSettings;
  readonly rights: Rights;
  readonly kept: Selection;
  /** Whether anything was told that could not be made as it is to be. */
  readonly isTold: boolean;
}

/** What a file system or the kernel may not allow to be as it is to be. */
const attributes: readonly DifferentPart[] = ["mode", "owner", "time", "xattrs", "links"];

/** Insists that the new root is what it is to be, before it becomes the root. Whatever could not be made was told. */
export function insistOnRoot({ trees, plan, settings, rights, kept, isTold }: CheckedRoot, target: number): void {
  const observer: ComparisonObserver = {
    found(_node, { path }, { parts }) {
      const wrong = isTold ? parts.filter((part) => !attributes.includes(part)) : parts;
      if (wrong.length > 0) throw notAsWanted(path, `its ${wrong.join(", ")} would be wrong`);
    },
    missing(_node, { path }) {
      if (!isTold) throw notAsWanted(path, "it is missing");
    },
    surplus(entry, leftAlone) {
      for (const { entry: gone } of goingWith(entry, leftAlone)) throw notAsWanted(gone.path, "nothing is to be there");
    },
    unreadable() {},
  };
  const comparison = new Comparison({
    settings,
    rights,
    digestOf: (file) => trees.data.withoutHoles(file),
    observer,
    leftAlone: kept,
    areFilesProven: (directory) => plan.areLinked(directory),
    isProven(node, at) {
      const staying = plan.staying(node);
      if (staying === undefined) return false;
      if (isAt(at, staying)) return true;
      throw changedMeanwhile(pathIn(at.directory.path, at.name));
    },
    hearsay: { root: trees.wanted, areSame: () => true },
  });
  comparison.compare(trees.wanted, target);
}

/**
 * Whether a name is that of a file that was compared: whoever may write to the old root can put something else in its
 * place before it gets its further name. Most directories have the numbers of inodes that the files themselves have.
 */
function isAt({ descriptor, name, fileSystem, inode }: FoundName, { identity }: Pick<FileOnDisk, "identity">): boolean {
  return `${fileSystem}:${inode}` === identity || identityAt(descriptor, name) === identity;
}

function notAsWanted(path: ByteString, found: string): OciUnpackError {
  return new OciUnpackError("FILE_SYSTEM", `cannot make ${quoted(path)} as the image has it: ${found}`, {
    hint: "do it again when nobody else changes the directory; or unpack into another one",
    details: { path: textOf(path) },
  });
}
