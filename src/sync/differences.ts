import { Buffer } from "node:buffer";
import type { DifferentPart } from "../base/option-words.ts";
import type { ComparedEntry } from "../diff/difference.ts";
import type { Stat } from "../linux/stat.ts";
import type { NamedPath } from "../tree/named-path.ts";

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
