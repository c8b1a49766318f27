import { count, invalidOption, type Kind, path, shapes, text } from "../base/option-checks.ts";

/** A file of this machine that comes on top of an image, as a last layer would bring it. */
export interface AddedFile {
  /** The file; a symlink is followed. */
  readonly source: string | URL;
  /** The path from the root of the image. Symlinks of the image on the way are followed, as for a layer's entries. */
  readonly target: string;
  /** The permission bits, at most 0o7777. Default: those of the source. */
  readonly mode?: number;
  /** Default: 0. */
  readonly uid?: number;
  /** Default: 0. */
  readonly gid?: number;
}

/** What a caller may pass as the option `add`. */
export const addedFilesKind: Kind = shapes<AddedFile>(
  { source: path, target: text, mode: count, uid: count, gid: count },
  ["source", "target"],
);

/**
 * Where a file goes: its names from the root, joined by slashes. Throws `INVALID_OPTION` for the root itself, for what leads
 * out of it, and for what would remove something (image-spec, layer.md, "Whiteouts").
 */
export function addedPath(target: string): string {
  const refuse = (found: string) => invalidOption("add", `its target "${target}" ${found}`, targetHint);
  const names: string[] = [];
  for (const name of target.split("/")) {
    if (name === "..") {
      if (names.pop() === undefined) throw refuse("leads out of the root");
    } else if (name !== "" && name !== ".") names.push(name);
  }
  const last = names.at(-1);
  if (last === undefined) throw refuse("is the root itself");
  if (/\/\.{0,2}$/.test(target)) throw refuse("is a directory's name");
  if (target.includes("\0")) throw refuse("has a zero byte");
  if (names.some((name) => name.startsWith(".wh.")))
    throw refuse("would remove a file: .wh. begins the names of whiteouts");
  return names.join("/");
}

const targetHint = "name the file's path from the root of the image, as in /init";
