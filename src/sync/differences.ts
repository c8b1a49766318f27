import { Buffer } from "node:buffer";
import { type DifferentPart, differentParts } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import type { ComparedData } from "../diff/compared-data.ts";
import { entryOf } from "../diff/comparison.ts";
import type { ComparedEntry } from "../diff/difference.ts";
import type { Stat } from "../linux/stat.ts";
import { readSymlinkAt } from "../linux/syscalls.ts";
import { textOf } from "../tar/byte-string.ts";
import { type NamedPath, namedPath } from "../tree/named-path.ts";
import type { DiskEntry } from "../verify/disk-entry.ts";
import type { DifferenceTeller } from "./sync-plan.ts";

/** What a directory has at a path. Its owner is the one that it has on this machine. */
export interface DiskSide
  extends Pick<
    ComparedEntry,
    "mode" | "uid" | "gid" | "sizeBytes" | "mtime" | "linkTarget" | "deviceMajor" | "deviceMinor"
  > {
  readonly type: Stat["type"];
}

/** A difference between a directory, which comes first, and the image that it is to be. `.` is the root. */
export type SyncDifference =
  | (NamedPath & { readonly kind: "added"; readonly second: ComparedEntry })
  | (NamedPath & { readonly kind: "removed"; readonly first: DiskSide })
  | (NamedPath & {
      readonly kind: "changed";
      /** Where the type differs, that alone. Empty where this user may not read it. */
      readonly parts: readonly DifferentPart[];
      readonly first: DiskSide;
      readonly second: ComparedEntry;
    });

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
  const isDevice = type === "character-device" || type === "block-device";
  const target = type === "symlink" ? readSymlinkAt(descriptor, name) : -1;
  return present({
    type,
    mode,
    uid,
    gid,
    sizeBytes: type === "file" ? stat.sizeBytes : 0,
    mtime,
    linkTarget: typeof target === "number" ? undefined : textOf(target),
    deviceMajor: isDevice ? deviceMajor : undefined,
    deviceMinor: isDevice ? deviceMinor : undefined,
  });
}

/** By the bytes of the paths, a directory before what is in it. */
export function inPathOrder(differences: readonly SyncDifference[]): readonly SyncDifference[] {
  const keyed = differences.map((difference) => ({ difference, key: keyOf(difference) }));
  return keyed.sort((one, other) => Buffer.compare(one.key, other.key)).map(({ difference }) => difference);
}

function keyOf({ path, pathBase64 }: SyncDifference): Buffer {
  if (path === ".") return Buffer.alloc(0);
  const bytes = pathBase64 === undefined ? Buffer.from(path) : Buffer.from(pathBase64, "base64");
  return bytes.map((byte) => (byte === 0x2f ? 0 : byte)) as Buffer;
}
