import type { Memory } from "../base/memory-budget.ts";
import type { DifferentPart } from "../base/option-words.ts";
import { Directory } from "../layer/directory.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { inOrder } from "../tree/in-order.ts";
import type { TreeDirectory, TreeFile, TreeNode } from "../tree/tree-file.ts";
import type { TreeObserver } from "../tree/tree-nodes.ts";
import { changedParts, type DigestOf, type NodeState, nodeAt, stateOf } from "./node-state.ts";

/** What a layer did to a path, seen from the tree before it and the tree after it. */
export interface PathChange {
  readonly path: ByteString;
  readonly kind: "added" | "replaced" | "changed" | "removed" | "hidden";
  /** Of what was replaced or changed, what is different; nothing where a file was replaced by one that is the same. */
  readonly parts: readonly DifferentPart[];
  /** The file that is there now, if one is. */
  readonly file: TreeFile | undefined;
}

/** Why things go: what the entry is that makes them go. */
export type Cause = "whiteout" | "opaque" | "entry";

/** What stood at a path before a layer. */
interface Before {
  readonly state: NodeState | undefined;
  /** Why it went, if it did. */
  readonly cause: Cause;
}

/** What is remembered of a path besides its text. Measured as a place in a map with its objects, and rounded up. */
const rememberedBytes = 160;

/** Takes down what one layer changes in a tree: what stood at each path that it touches before it did. */
export class LayerChanges implements TreeObserver {
  /** Why whatever goes now does so. */
  cause: Cause = "entry";
  readonly #root: TreeDirectory;
  readonly #memory: Memory;
  readonly #before = new Map<ByteString, Before>();
  readonly #linked = new Set<TreeFile>();
  #bytes = 0;

  constructor(root: TreeDirectory, memory: Memory) {
    this.#root = root;
    this.#memory = memory;
  }

  replacing(path: ByteString, node: TreeNode | undefined): void {
    if (!(node instanceof Directory)) return this.#remember(path, node);
    for (const { path: below, file, directory } of inOrder(node, path)) this.#remember(below, file ?? directory);
  }

  describing(path: ByteString, directory: TreeDirectory): void {
    if (path !== "") this.#remember(path, directory);
  }

  linking(file: TreeFile): void {
    if (this.#linked.has(file)) return;
    this.#spend(rememberedBytes);
    this.#linked.add(file);
  }

  /** What the layer did, when it has ended. The root is not told of. */
  *changes(digestOf: DigestOf): Iterable<PathChange> {
    for (const [path, { state, cause }] of this.#before) {
      const node = nodeAt(this.#root, path);
      const after = node && stateOf(node);
      const file = after?.file;
      if (state === undefined && after !== undefined) yield { path, kind: "added", parts: [], file };
      if (state !== undefined && after === undefined)
        yield { path, kind: cause === "whiteout" ? "removed" : "hidden", parts: [], file };
      if (state === undefined || after === undefined) continue;
      const parts = changedParts(state, after, digestOf);
      const kind = isReplacement(state, after, parts) ? "replaced" : "changed";
      if (kind === "replaced" || parts.length > 0) yield { path, kind, parts, file };
    }
  }

  /** The files that got a further name. */
  get linked(): ReadonlySet<TreeFile> {
    return this.#linked;
  }

  /** Gives back the memory that was taken. */
  release(): void {
    this.#memory.release(this.#bytes);
  }

  #remember(path: ByteString, node: TreeNode | undefined): void {
    if (this.#before.has(path)) return;
    this.#spend(rememberedBytes + path.length);
    this.#before.set(path, { state: node && stateOf(node), cause: this.cause });
  }

  #spend(bytes: number): void {
    this.#memory.spend(bytes, "what a layer changes");
    this.#bytes += bytes;
  }
}

const attributeParts: ReadonlySet<DifferentPart> = new Set<DifferentPart>(["mode", "owner", "time", "xattrs"]);

/** Whether something else stands there, or the same once more; not, whether only attributes were changed. */
function isReplacement(before: NodeState, after: NodeState, parts: readonly DifferentPart[]): boolean {
  if (parts.length > 0) return parts.some((part) => !attributeParts.has(part));
  return before.file !== after.file;
}
