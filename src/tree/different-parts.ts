import { type DifferentPart, differentParts } from "../base/option-words.ts";
import type { Attributes } from "../layer/directory.ts";
import { byteString } from "../tar/byte-string.ts";
import type { TreeFile } from "./tree-file.ts";

/** Which parts are the same, of those that were compared. */
export type Sameness = Partial<Record<DifferentPart, boolean>>;

/** The parts that were compared and are not the same. */
export function differentIn(same: Sameness): DifferentPart[] {
  return differentParts.filter((part) => same[part] === false);
}

/** Compares what files and directories have alike. */
export function comparedAttributes(first: Attributes, second: Attributes): Sameness {
  return {
    mode: first.mode === second.mode,
    owner: first.uid === second.uid && first.gid === second.gid,
    time: first.mtime.seconds === second.mtime.seconds && first.mtime.nanoseconds === second.mtime.nanoseconds,
    xattrs: haveSameXattrs(first.xattrs, second.xattrs),
  };
}

/** Compares files of all types. Where the types are different, nothing else is compared. */
export function comparedFiles(
  first: TreeFile,
  second: TreeFile,
  haveSameContent: (first: TreeFile, second: TreeFile) => boolean,
): Sameness {
  if (first.type !== second.type) return { type: false };
  return {
    ...comparedAttributes(first, second),
    size: first.sizeBytes === second.sizeBytes,
    content: first.type !== "file" || haveSameContent(first, second),
    target: first.type !== "symlink" || first.linkPath === second.linkPath,
    device: first.deviceMajor === second.deviceMajor && first.deviceMinor === second.deviceMinor,
  };
}

function haveSameXattrs(first: Attributes["xattrs"] = none, second: Attributes["xattrs"] = none): boolean {
  if (first.size !== second.size) return false;
  return [...first].every(([name, value]) => {
    const other = second.get(name);
    return other !== undefined && byteString(other) === byteString(value);
  });
}

const none: NonNullable<Attributes["xattrs"]> = new Map();
