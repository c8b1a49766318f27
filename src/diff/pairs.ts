import { Directory, never, Undetermined } from "../layer/directory.ts";
import { pathIn } from "../layer/paths.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { TreeDirectory, TreeNode } from "../tree/tree-file.ts";

/** Which of two images. */
export type Which = "first" | "second";

/** What two trees have at a path; at least one of them has something. */
export interface Pair {
  readonly path: ByteString;
  readonly first: TreeNode | undefined;
  readonly second: TreeNode | undefined;
}

/** What two trees have at a directory's path, of which not everything has come. */
interface Opened {
  readonly path: ByteString;
  readonly first: TreeDirectory | undefined;
  readonly second: TreeDirectory | undefined;
  /** The next one last. */
  readonly names: ByteString[];
}

/**
 * Everything from a path on down that two trees have: each directory before what is in it, names in the order of their
 * bytes. Nothing comes that is below what is a directory in one tree and something else in the other.
 *
 * Of trees on the same unknown base nothing comes that both have from there: it is the same in both. Throws `Undetermined`
 * where only one has it from there, or may have it.
 */
export function* pairsBelow(top: Pair): Generator<Pair, void, undefined> {
  const opened: Opened[] = [];
  for (let next: Pair | undefined = top; next !== undefined; next = nextOf(opened)) {
    yield next;
    const { path, first, second } = next;
    const [one, other] = [directoryIn(first), directoryIn(second)];
    const isOnlyInOne = first === undefined || second === undefined;
    const isDirectory = isOnlyInOne ? (one ?? other) !== undefined : one !== undefined && other !== undefined;
    if (!isDirectory) continue;
    if (isDescribed(one) !== isDescribed(other)) throw new Undetermined(path);
    opened.push({ path, first: one, second: other, names: [...namesIn(one, other)].sort().reverse() });
  }
}

function nextOf(opened: Opened[]): Pair | undefined {
  for (let last = opened.at(-1); last !== undefined; last = opened.at(-1)) {
    const name = last.names.pop();
    if (name !== undefined) {
      return { path: pathIn(last.path, name), first: last.first?.child(name), second: last.second?.child(name) };
    }
    opened.pop();
  }
  return undefined;
}

function directoryIn(node: TreeNode | undefined): TreeDirectory | undefined {
  return node instanceof Directory ? node : undefined;
}

/** Whether its attributes are known. Those of the root are not where no layer describes it and some are unknown. */
function isDescribed(directory: TreeDirectory | undefined): boolean {
  return directory?.origin !== never;
}

/**
 * The names in directories at the same place of two trees. Where layers of which nothing is known may have further ones
 * in both, these are the same in both, and do not come.
 */
export function namesIn(one: TreeDirectory | undefined, other: TreeDirectory | undefined): ReadonlySet<ByteString> {
  const areOpen = one?.isOpen === true && other?.isOpen === true;
  const names = new Set(areOpen ? one.toldNames() : one?.names());
  for (const name of (areOpen ? other.toldNames() : other?.names()) ?? []) names.add(name);
  return names;
}
