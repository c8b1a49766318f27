import type { Attributes } from "../layer/directory.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";
import { earliestSeconds, latestSeconds } from "../tar/numbers.ts";
import { digestOf } from "./content-digests.ts";
import { type Item, inOrder } from "./in-order.ts";
import type { TreeDirectory, TreeFile } from "./tree-file.ts";

/** What the list says of a tree besides what stands in it. */
export interface MtreeOptions {
  /** The SHA-256 of a file's data, by its `content`, where it is known. */
  readonly digests: { get(content: number): string | undefined };
  /** The owner that files get, by the one that the image states; `undefined` where that is not known. */
  readonly ownerOf: (stated: Owner) => Owner | undefined;
}

type Owner = Pick<Attributes, "uid" | "gid">;

/**
 * A tree as a specification that mtree and bsdtar read (mtree(5)): one line for each path, with type, mode, owner and
 * time, and of files size and SHA-256.
 *
 * The order is the tree's, but for names that look like patterns: escaped or not, mtree takes them for such, and the
 * first that matches a file for the file. So they come last in their directory, the most general last of all.
 */
export function* mtreeLines(root: TreeDirectory, options: MtreeOptions): Iterable<string> {
  yield "#mtree\n";
  const comesLast = (name: ByteString) => /[?*[]/.test(name);
  for (const item of inOrder(root, rootPath, { comesLast })) {
    const path = item.path === "" ? "." : `./${encoded(item.path)}`;
    yield `${path} ${wordsFor(item, options).join(" ")}\n`;
  }
}

const rootPath = "" as ByteString;

const types: Readonly<Record<TreeFile["type"], string>> = {
  file: "file",
  symlink: "link",
  fifo: "fifo",
  "character-device": "char",
  "block-device": "block",
};

function wordsFor({ directory, file }: Item, options: MtreeOptions): string[] {
  if (file === undefined) return ["type=dir", ...attributeWords(directory.attributes, options)];
  const words = [`type=${types[file.type]}`, ...attributeWords(file, options)];
  if (file.type === "file") words.push(`size=${file.sizeBytes}`, ...digestWords(file, options));
  if (file.type === "symlink") words.push(`link=${encoded(file.linkPath)}`);
  if (file.type.endsWith("device")) words.push(`device=native,${file.deviceMajor},${file.deviceMinor}`);
  return words;
}

function attributeWords(attributes: Attributes, { ownerOf }: MtreeOptions): string[] {
  const { mode, mtime, xattrs } = attributes;
  const owner = ownerOf(attributes);
  return [
    // An access-control list makes another mode of it.
    ...(xattrs?.has(acl) ? [] : [`mode=${mode.toString(8).padStart(4, "0")}`]),
    ...(owner === undefined ? [] : [`uid=${owner.uid}`, `gid=${owner.gid}`]),
    // What some file system could not store may be another time on the disk.
    ...(mtime.seconds < earliestSeconds || mtime.seconds > latestSeconds ? [] : [`time=${timeText(mtime)}`]),
  ];
}

const acl = byteStringOf("system.posix_acl_access");

function digestWords(file: TreeFile, { digests }: MtreeOptions): string[] {
  const digest = digestOf(file, digests);
  return digest === undefined ? [] : [`sha256=${digest}`];
}

function timeText({ seconds, nanoseconds }: Timestamp): string {
  return `${seconds}.${String(nanoseconds).padStart(9, "0")}`;
}

/** All bytes but those that mean nothing to anybody are written as `\ooo` (vis(3), VIS_OCTAL). */
function encoded(name: ByteString): string {
  return name.replace(/[^A-Za-z0-9/._+:@%,~^-]/g, (byte) => {
    return `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
}
