import { OciUnpackError } from "../base/errors.ts";
import { Directory } from "../layer/directory.ts";
import { quoted } from "../layer/findings.ts";
import { walk } from "../layer/walk.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import { TreeLookup } from "../tree/tree-back-end.ts";
import { fileOf, type TreeDirectory } from "../tree/tree-file.ts";
import { type FileDigests, type Found, type ListedEntry, listed, listedEntry } from "./listed-entry.ts";

/** A question about an image's files: what is at a path, or the content of a file. */
export type Question =
  | {
      readonly about: "entries";
      readonly path: ByteString;
      readonly isRecursive: boolean;
      /** Default: false. */
      readonly hasDigests?: boolean;
    }
  | { readonly about: "content"; readonly path: ByteString };

/** The answer to a question. */
export interface Answer {
  readonly entries: Iterable<ListedEntry>;
  /** For the content of a file, the index of its entry in the archive of its layer. */
  readonly entryIndex: number;
}

/**
 * Answers a question about a tree. `digests` are those of its files, where the question asks for them.
 *
 * Throws `NOT_FOUND` if nothing is at the path, `NOT_A_FILE` if it has no content.
 */
export function answered(root: TreeDirectory, question: Question, digests?: FileDigests): Answer {
  if (question.about === "content") return fileAt(root, question.path);
  const found = find(root, question.path, false);
  return { entries: listed(found, question.isRecursive, digests), entryIndex: 0 };
}

function fileAt(root: TreeDirectory, path: ByteString): Answer {
  const { path: realPath, node } = find(root, path, true);
  const type = node instanceof Directory ? "directory" : fileOf(node).type;
  if (node instanceof Directory || type !== "file") {
    const found = `it is a ${type.replace("-", " ")}`;
    throw new OciUnpackError("NOT_A_FILE", `cannot read ${quoted(path)}: ${found}`, {
      details: { path: textOf(path) },
    });
  }
  const file = fileOf(node);
  return { entries: [listedEntry({ path: realPath, file, firstPath: undefined })], entryIndex: file.content };
}

/**
 * Finds what a path leads to, as a process in the container would: symlinks on the way are followed, and `..` is the
 * directory above. A symlink at the end is followed too if `followsLast` says so, or if the path ends in a slash.
 */
function find(root: TreeDirectory, path: ByteString, followsLast: boolean): Found {
  const names = path.split("/").filter((name) => name !== "" && name !== ".") as ByteString[];
  const last = names.at(-1);
  if (last === undefined) return { path: "" as ByteString, node: root };
  if (last === ".." || followsLast || /\/\.?$/.test(path)) return followed(root, names, path);
  const { directory: parent } = walk(new TreeLookup(root), root, names.slice(0, -1), path, () => undefined);
  const node = parent?.child(last);
  if (parent === undefined || node === undefined) throw notFound(path);
  return { path: pathIn(parent, last), node };
}

function followed(root: TreeDirectory, names: readonly ByteString[], path: ByteString): Found {
  let end: Found | undefined;
  const { directory } = walk(new TreeLookup(root), root, names, path, (parent, name, isOccupied, isLast) => {
    const node = isOccupied && isLast ? parent.child(name) : undefined;
    if (node !== undefined) end = { path: pathIn(parent, name), node };
    return undefined;
  });
  const found = directory === undefined ? end : { path: directory.path, node: directory };
  if (found === undefined || (/\/\.?$/.test(path) && !(found.node instanceof Directory))) throw notFound(path);
  return found;
}

function pathIn(parent: TreeDirectory, name: ByteString): ByteString {
  return parent.parent === undefined ? name : (`${parent.path}/${name}` as ByteString);
}

function notFound(path: ByteString): OciUnpackError {
  return new OciUnpackError("NOT_FOUND", `cannot find ${quoted(path)}: the image has nothing there`, {
    hint: "`list` tells what is there",
    details: { path: textOf(path) },
  });
}
