import { OciUnpackError } from "../base/errors.ts";
import { Directory } from "../layer/directory.ts";
import { quoted } from "../layer/findings.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import { find } from "../tree/find.ts";
import { type FileDigests, type ListedEntry, listed, listedEntry } from "../tree/listed-entry.ts";
import { fileOf, type TreeDirectory, type TreeFile } from "../tree/tree-file.ts";

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
  /** For the content of a file, that file. */
  readonly file?: TreeFile;
}

/**
 * Answers a question about a tree. `digests` are those of its files, where the question asks for them.
 *
 * Throws `NOT_FOUND` if nothing is at the path, `NOT_A_FILE` if it has no content.
 */
export function answered(root: TreeDirectory, question: Question, digests?: FileDigests): Answer {
  if (question.about === "content") return fileAt(root, question.path);
  const found = find(root, question.path, false);
  return { entries: listed(found, question.isRecursive, digests) };
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
  return { entries: [listedEntry({ path: realPath, file, firstPath: undefined })], file };
}
