import { OciUnpackError } from "../base/errors.ts";
import type { DifferentPart } from "../base/option-words.ts";
import { quoted } from "../layer/findings.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { Rights } from "../linux/thread.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { Selection } from "../tree/selection.ts";
import { Comparison } from "../verify/comparison.ts";
import type { ComparisonObserver } from "../verify/comparison-observer.ts";
import { goingWith } from "./disk-walk.ts";
import type { ImageTrees } from "./image-trees.ts";
import type { SyncPlan } from "./sync-plan.ts";

/** What a new root is to be. */
interface CheckedRoot {
  readonly trees: ImageTrees;
  /** Which names were seen to be right when they were made. */
  readonly plan: Pick<SyncPlan, "isProven">;
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
    isProven: (node) => plan.isProven(node),
    hearsay: { root: trees.wanted, areSame: () => true },
  });
  comparison.compare(trees.wanted, target);
}

function notAsWanted(path: ByteString, found: string): OciUnpackError {
  return new OciUnpackError("FILE_SYSTEM", `cannot make ${quoted(path)} as the image has it: ${found}`, {
    hint: "do it again when nobody else changes the directory; or unpack into another one",
    details: { path: textOf(path) },
  });
}
