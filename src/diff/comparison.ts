import type { Memory } from "../base/memory-budget.ts";
import { type DifferentPart, differentParts } from "../base/option-words.ts";
import { type Attributes, Directory } from "../layer/directory.ts";
import { type ByteString, byteString } from "../tar/byte-string.ts";
import { listedEntry } from "../tree/listed-entry.ts";
import { namedPath } from "../tree/named-path.ts";
import { fileOf, type TreeDirectory, type TreeFile, type TreeNode } from "../tree/tree-file.ts";
import type { ComparedData } from "./compared-data.ts";
import type { ComparedEntry, ImageDifference } from "./difference.ts";
import { LinkedNames } from "./linked-names.ts";
import { type Pair, pairsBelow } from "./pairs.ts";

/** What a comparison needs besides the trees. */
interface ComparisonTools {
  readonly data: ComparedData;
  readonly ignored: ReadonlySet<DifferentPart>;
  readonly memory: Memory;
}

/**
 * The differences of two trees from a path on down, in the order of their paths' bytes: one for each entry that only one
 * of them has, also below a directory, and one for each that is not the same in both.
 */
export function* differences(top: Pair, { data, ignored, memory }: ComparisonTools): Generator<ImageDifference> {
  const tools = { data, links: new LinkedNames(pairsBelow(top), memory) };
  for (const { path, first, second } of pairsBelow(top)) {
    const named = namedPath(path === "" ? rootPath : path);
    if (first === undefined) {
      if (second !== undefined) yield { kind: "added", ...named, second: entryOf(second, data) };
    } else if (second === undefined) {
      yield { kind: "removed", ...named, first: entryOf(first, data) };
    } else {
      const same = comparedNodes(first, second, tools);
      const parts = differentParts.filter((part) => same[part] === false && !ignored.has(part));
      if (parts.length === 0) continue;
      yield { kind: "changed", ...named, parts, first: entryOf(first, data), second: entryOf(second, data) };
    }
  }
}

const rootPath = "." as ByteString;

/** Which parts are the same, of those that were compared. */
type Sameness = Partial<Record<DifferentPart, boolean>>;

interface FileTools {
  readonly data: ComparedData;
  readonly links: LinkedNames;
}

function comparedNodes(first: TreeNode, second: TreeNode, tools: FileTools): Sameness {
  if (first instanceof Directory && second instanceof Directory) return comparedDirectories(first, second);
  if (first instanceof Directory || second instanceof Directory) return { type: false };
  return comparedFiles(fileOf(first), fileOf(second), tools);
}

function comparedDirectories(first: TreeDirectory, second: TreeDirectory): Sameness {
  const same = comparedAttributes(first.attributes, second.attributes);
  // Names that came or went change the time of the directory. They are told, so the time is not.
  return same.time === false && !haveSameNames(first, second) ? { ...same, time: true } : same;
}

function haveSameNames(first: TreeDirectory, second: TreeDirectory): boolean {
  const names = new Set(first.names());
  const others = [...second.names()];
  return names.size === others.length && others.every((name) => names.has(name));
}

function comparedFiles(first: TreeFile, second: TreeFile, { data, links }: FileTools): Sameness {
  if (first.type !== second.type) return { type: false };
  return {
    ...comparedAttributes(first, second),
    size: first.sizeBytes === second.sizeBytes,
    content: first.type !== "file" || data.areSame(first, second),
    target: first.type !== "symlink" || first.linkPath === second.linkPath,
    device: first.deviceMajor === second.deviceMajor && first.deviceMinor === second.deviceMinor,
    links: links.areSame(first, second),
  };
}

function comparedAttributes(first: Attributes, second: Attributes): Sameness {
  return {
    mode: first.mode === second.mode,
    owner: first.uid === second.uid && first.gid === second.gid,
    time: first.mtime.seconds === second.mtime.seconds && first.mtime.nanoseconds === second.mtime.nanoseconds,
    xattrs: haveSameXattrs(first.xattrs, second.xattrs),
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

function entryOf(node: TreeNode, data: ComparedData): ComparedEntry {
  const at = { path: rootPath, firstPath: undefined };
  const item = node instanceof Directory ? { path: rootPath, directory: node } : { ...at, file: fileOf(node) };
  const { path: _, ...entry } = listedEntry(item, data);
  return entry;
}
