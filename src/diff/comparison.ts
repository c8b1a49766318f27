import type { Memory } from "../base/memory-budget.ts";
import type { DifferentPart } from "../base/option-words.ts";
import { Directory } from "../layer/directory.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { comparedAttributes, comparedFiles, differentIn, type Sameness } from "../tree/different-parts.ts";
import { listedEntry } from "../tree/listed-entry.ts";
import { namedPath } from "../tree/named-path.ts";
import { fileOf, type TreeDirectory, type TreeNode } from "../tree/tree-file.ts";
import type { ComparedData } from "./compared-data.ts";
import type { ComparedEntry, ImageDifference } from "./difference.ts";
import { LinkedNames } from "./linked-names.ts";
import { namesIn, type Pair, pairsBelow } from "./pairs.ts";

/** What a comparison needs besides the trees. */
interface ComparisonTools {
  readonly data: ComparedData;
  readonly ignored: ReadonlySet<DifferentPart>;
  readonly memory: Memory;
}

/**
 * The differences of two trees from a path on down, in the order of their paths' bytes: one for each entry that only one
 * of them has, also below a directory, and one for each that is not the same in both. Where they depend on layers of which
 * nothing is known, `Undetermined` is thrown before the first one comes.
 */
export function differences(top: Pair, { data, ignored, memory }: ComparisonTools): Iterable<ImageDifference> {
  return toldOf(top, { data, links: new LinkedNames(pairsBelow(top), memory) }, ignored);
}

function* toldOf(top: Pair, tools: FileTools, ignored: ComparisonTools["ignored"]): Iterable<ImageDifference> {
  const { data } = tools;
  for (const { path, first, second } of pairsBelow(top)) {
    const named = namedPath(path === "" ? rootPath : path);
    if (first === undefined) {
      if (second !== undefined) yield { kind: "added", ...named, second: entryOf(second, data) };
    } else if (second === undefined) {
      yield { kind: "removed", ...named, first: entryOf(first, data) };
    } else {
      const parts = differentIn(comparedNodes(first, second, tools)).filter((part) => !ignored.has(part));
      if (parts.length === 0) continue;
      yield { kind: "changed", ...named, parts, first: entryOf(first, data), second: entryOf(second, data) };
    }
  }
}

const rootPath = "." as ByteString;

interface FileTools {
  readonly data: ComparedData;
  readonly links: LinkedNames;
}

function comparedNodes(first: TreeNode, second: TreeNode, { data, links }: FileTools): Sameness {
  if (first instanceof Directory && second instanceof Directory) return comparedDirectories(first, second);
  if (first instanceof Directory || second instanceof Directory) return { type: false };
  const [one, other] = [fileOf(first), fileOf(second)];
  const same = comparedFiles(one, other, (...files) => data.areSame(...files));
  return one.type === other.type ? { ...same, links: links.areSame(one, other) } : same;
}

function comparedDirectories(first: TreeDirectory, second: TreeDirectory): Sameness {
  const same = comparedAttributes(first.attributes, second.attributes);
  // Names that came or went change the time of the directory. They are told, so the time is not.
  return same.time === false && !haveSameNames(first, second) ? { ...same, time: true } : same;
}

function haveSameNames(first: TreeDirectory, second: TreeDirectory): boolean {
  for (const name of namesIn(first, second)) {
    if ((first.child(name) === undefined) !== (second.child(name) === undefined)) return false;
  }
  return true;
}

/** What an image has somewhere, as results have it. */
export function entryOf(node: TreeNode, data: ComparedData): ComparedEntry {
  const at = { path: rootPath, firstPath: undefined };
  const item = node instanceof Directory ? { path: rootPath, directory: node } : { ...at, file: fileOf(node) };
  const { path: _, ...entry } = listedEntry(item, data);
  return entry;
}
