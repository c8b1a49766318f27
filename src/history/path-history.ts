import { isOciUnpackError } from "../base/errors.ts";
import type { Memory } from "../base/memory-budget.ts";
import { walk } from "../layer/walk.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import { TreeLookup } from "../tree/tree-back-end.ts";
import type { TreeDirectory, TreeFile, TreeNode } from "../tree/tree-file.ts";
import type { PathChange } from "./layer-changes.ts";
import { nodeAt } from "./node-state.ts";

/** What a layer did to the path that was asked for. */
export interface PathEvent {
  readonly layer: number;
  /** "linked" where the file there got a further name. */
  readonly kind: PathChange["kind"] | "linked";
  readonly parts: PathChange["parts"];
}

interface KnownChange extends PathChange {
  readonly layer: number;
}

/** What is remembered of a change besides its path. Measured with its objects, and rounded up. */
const changeBytes = 200;

/** What a file takes in a set. */
const linkedBytes = 48;

/**
 * What all layers did to a path. Where symlinks lead it is known when all layers are merged; until then what was done to
 * every path is kept that ends in the same name.
 */
export class PathHistory {
  readonly #wanted: ByteString;
  readonly #memory: Memory;
  /** The last name of the path, if that is certain. */
  readonly #name: ByteString | undefined;
  readonly #changes = new Map<ByteString, KnownChange[]>();
  readonly #linked = new Map<number, ReadonlySet<TreeFile>>();

  constructor(wanted: ByteString, memory: Memory) {
    this.#wanted = wanted;
    this.#memory = memory;
    const last = namesOf(wanted).at(-1);
    this.#name = last === ".." || endsInSlash(wanted) ? undefined : last;
  }

  /** Takes down what a layer changed. */
  add(layer: number, change: PathChange): void {
    if (this.#name !== undefined && lastNameOf(change.path) !== this.#name) return;
    this.#memory.spend(changeBytes + change.path.length, "changes of a path");
    const known = this.#changes.get(change.path);
    if (known === undefined) this.#changes.set(change.path, [{ ...change, layer }]);
    else known.push({ ...change, layer });
  }

  /** Takes down which files got a further name in a layer. */
  addLinked(layer: number, linked: ReadonlySet<TreeFile>): void {
    this.#memory.spend(linkedBytes * linked.size, "hard links");
    if (linked.size > 0) this.#linked.set(layer, linked);
  }

  /** The path without symlinks, what stands there now, and what was done to it, the newest first. */
  end(root: TreeDirectory): {
    readonly path: ByteString;
    readonly node: TreeNode | undefined;
    readonly events: PathEvent[];
  } {
    const path = resolved(root, this.#wanted);
    const changes = new Map(this.#changes.get(path)?.map((change) => [change.layer, change]));
    const layers = new Set([...changes.keys(), ...this.#linked.keys()]);
    const events: PathEvent[] = [];
    let file: TreeFile | undefined;
    for (const layer of [...layers].sort((one, other) => one - other)) {
      const change = changes.get(layer);
      if (change !== undefined) events.push({ layer, kind: change.kind, parts: change.parts });
      else if (file !== undefined && this.#linked.get(layer)?.has(file) === true)
        events.push({ layer, kind: "linked", parts: [] });
      if (change !== undefined) file = change.file;
    }
    return { path, node: nodeAt(root, path), events: events.reverse() };
  }
}

function namesOf(path: ByteString): ByteString[] {
  return path.split("/").filter((name) => name !== "" && name !== ".") as ByteString[];
}

function lastNameOf(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1) as ByteString;
}

/** Whether what a path names has to be a directory, so that a symlink there is followed. */
function endsInSlash(path: ByteString): boolean {
  return /\/\.?$/.test(path);
}

/** Where a path leads in a tree. Where it leads to nothing, its last names are taken as they are. */
function resolved(root: TreeDirectory, path: ByteString): ByteString {
  const names = namesOf(path);
  const last = names.at(-1);
  if (last === undefined) return byteStringOf("");
  const followsLast = last === ".." || endsInSlash(path);
  const { directory, rest } = deepest(root, followsLast ? names : names.slice(0, -1), path);
  return joined([directory.path, ...rest, ...(followsLast ? [] : [last])]);
}

/** The last directory on the way of names, and the names that lead nowhere from there. */
function deepest(root: TreeDirectory, names: readonly ByteString[], path: ByteString) {
  const lookup = new TreeLookup(root);
  let directory = root;
  for (const [index, name] of names.entries()) {
    const next = directoryBehind(lookup, directory, name, path);
    if (next === undefined) return { directory, rest: names.slice(index) };
    directory = next;
  }
  return { directory, rest: [] };
}

/** The directory that a name leads to. Symlinks that lead in a circle lead nowhere. */
function directoryBehind(
  lookup: TreeLookup,
  from: TreeDirectory,
  name: ByteString,
  path: ByteString,
): TreeDirectory | undefined {
  try {
    return walk(lookup, from, [name], path, () => undefined).directory;
  } catch (error) {
    if (isOciUnpackError(error, "ENTRY_REFUSED")) return undefined;
    throw error;
  }
}

function joined(names: readonly ByteString[]): ByteString {
  return names.filter((name) => name !== "").join("/") as ByteString;
}
