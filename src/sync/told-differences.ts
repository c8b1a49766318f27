import { differentParts } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import type { ComparedData } from "../diff/compared-data.ts";
import { entryOf } from "../diff/comparison.ts";
import type { Stat } from "../linux/stat.ts";
import { readSymlinkAt } from "../linux/syscalls.ts";
import { textOf } from "../tar/byte-string.ts";
import { isDevice } from "../tar/entry.ts";
import { namedPath } from "../tree/named-path.ts";
import type { DiskEntry } from "../verify/disk-entry.ts";
import type { DiskSide, SyncDifference } from "./differences.ts";
import type { DifferenceTeller } from "./sync-plan.ts";

/** Puts differences into words. */
export function tellingSyncDifferences(
  data: ComparedData,
  tell: (difference: SyncDifference) => void,
): DifferenceTeller {
  return {
    added: (path, node) => tell({ kind: "added", ...namedPath(path), second: entryOf(node, data) }),
    removed: (entry, stat) => tell({ kind: "removed", ...namedPath(entry.path), first: diskSide(entry, stat) }),
    changed(entry, { stat, parts: found }, node) {
      const parts = differentParts.filter((part) => found.includes(part));
      const sides = { first: diskSide(entry, stat), second: entryOf(node, data) };
      tell({ kind: "changed", ...namedPath(entry.path), parts, ...sides });
    },
  };
}

function diskSide({ descriptor, name }: DiskEntry, stat: Stat): DiskSide {
  const { type, mode, uid, gid, mtime, deviceMajor, deviceMinor } = stat;
  const hasNumbers = isDevice(stat);
  const target = type === "symlink" ? readSymlinkAt(descriptor, name) : -1;
  return present({
    type,
    mode,
    uid,
    gid,
    sizeBytes: type === "file" ? stat.sizeBytes : 0,
    mtime,
    linkTarget: typeof target === "number" ? undefined : textOf(target),
    deviceMajor: hasNumbers ? deviceMajor : undefined,
    deviceMinor: hasNumbers ? deviceMinor : undefined,
  });
}
