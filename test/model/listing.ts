import { createHash } from "node:crypto";

/**
 * One file of a tree, as far as it can be told from outside. Names and contents are ByteStrings in plain clothes, so
 * that two listings can be compared with `deepEqual` and a difference reads well.
 */
export interface Item {
  readonly type: "file" | "directory" | "symlink" | "fifo" | "character-device" | "block-device";
  /** Octal, as people write it; "-" for a symlink, whose mode means nothing. */
  readonly mode: string;
  /** `uid:gid`. */
  readonly owner: string;
  /** `seconds.nanoseconds`, nine digits behind the point. */
  readonly mtime: string;
  /** Name to value, both as ByteStrings. */
  readonly xattrs: Readonly<Record<string, string>>;
  readonly content?: string;
  readonly target?: string;
  /** `major:minor`. */
  readonly device?: string;
  /** The first path, in byte order, that is the same file; absent for a file with one name. */
  readonly sameFileAs?: string;
}

/** A whole tree: path to file, the root as ".". */
export type Listing = Readonly<Record<string, Item>>;

/** A file's content as an Item states it: itself while it is short, and a digest where it would bury a difference. */
export function contentOf(content: string): string {
  if (content.length <= 4096) return content;
  return `${content.length} bytes, sha256 ${createHash("sha256").update(content, "latin1").digest("hex")}`;
}

/** Seconds and nanoseconds as an Item states them. */
export function timeOf(seconds: number | bigint, nanoseconds: number | bigint): string {
  return `${seconds}.${String(nanoseconds).padStart(9, "0")}`;
}

/** Octal digits as an Item states them. */
export function modeOf(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/** Puts the paths in byte order and says of each file that has several names which of them comes first. */
export function listingOf(files: ReadonlyMap<string, { readonly item: Item; readonly identity: unknown }>): Listing {
  const paths = [...files.keys()].sort(byBytes);
  const names = new Map<unknown, string[]>();
  for (const path of paths) {
    const identity = files.get(path)?.identity;
    names.set(identity, [...(names.get(identity) ?? []), path]);
  }
  const listing: Record<string, Item> = {};
  for (const path of paths) {
    const file = files.get(path);
    if (file === undefined) continue;
    const [first = path, ...others] = names.get(file.identity) ?? [];
    listing[path] = others.length === 0 ? file.item : { ...file.item, sameFileAs: first };
  }
  return listing;
}

function byBytes(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
