import { createHash } from "node:crypto";
import { chmodSync, constants } from "node:fs";
import { readSome } from "../../src/linux/content.ts";
import { readEntries } from "../../src/linux/directory-entries.ts";
import { SystemError } from "../../src/linux/errno.ts";
import type { Result } from "../../src/linux/libc.ts";
import { type Stat, statAt, statOf } from "../../src/linux/stat.ts";
import {
  closeDescriptor,
  openAt,
  openDirectoryAt,
  openDirectoryPath,
  readSymlinkAt,
} from "../../src/linux/syscalls.ts";
import { listXattrsAt, readXattrAt } from "../../src/linux/xattrs.ts";
import { type ByteString, byteString, byteStringOf } from "../../src/tar/byte-string.ts";

/** All that can be told of a file from outside, in words that read well where two trees differ. */
export interface TreeItem {
  readonly type: Stat["type"];
  /** Four octal digits; "-" for a symlink, whose mode means nothing. */
  readonly mode: string;
  /** `uid:gid` */
  readonly owner: string;
  /** `seconds.nanoseconds`, nine digits behind the point. Seconds may be negative, nanoseconds count forward. */
  readonly mtime: string;
  /** Values as ByteStrings, by name. */
  readonly xattrs: Readonly<Record<string, string>>;
  /** Only of files. */
  readonly size?: number;
  /** Of files: `sha256:…`, or with `contents: "bytes"` the bytes themselves as a ByteString. */
  readonly content?: string;
  /** Of symlinks, as a ByteString. */
  readonly target?: string;
  /** `major:minor` of devices. */
  readonly device?: string;
  /** The first path in byte order that is the same file; absent for a file that has one name in this tree. */
  readonly sameFileAs?: string;
}

/** A tree by its paths, which are ByteStrings, in byte order; the root is ".". */
export type Tree = Readonly<Record<string, TreeItem>>;

export interface TreeOptions {
  /** Default: "digest". */
  readonly contents?: "digest" | "bytes";
}

/**
 * Reads a directory with everything below it into a value for `assert.deepEqual`.
 *
 * Every name is relative to an open directory, so paths may be longer than the kernel takes in one piece.
 */
export function readTree(directory: string, options: TreeOptions = {}): Tree {
  const found: Found[] = [];
  const root = openDirectoryPath(directory);
  try {
    found.push({ path: ".", identity: "", item: itemAt(root, byteStringOf("."), existing(statOf(root)), options) });
    readChildren(root, "", options, found);
  } finally {
    closeDescriptor(root);
  }
  return inByteOrder(found);
}

interface Found {
  readonly path: string;
  readonly identity: string;
  readonly item: TreeItem;
}

function readChildren(directory: number, prefix: string, options: TreeOptions, found: Found[]): void {
  for (;;) {
    const entries = existing(readEntries(directory));
    if (entries.length === 0) return;
    for (const { name } of entries) {
      const stat = existing(statAt(directory, name));
      const path = prefix + name;
      withAccess(directory, name, stat, () => {
        found.push({ path, identity: stat.identity, item: itemAt(directory, name, stat, options) });
        if (stat.type !== "directory") return;
        const child = existing(openDirectoryAt(directory, name));
        readChildren(child, `${path}/`, options, found);
        closeDescriptor(child);
      });
    }
  }
}

/** Reads a file or directory that its mode closes to the ordinary user to whom it belongs: with another mode meanwhile. */
function withAccess(directory: number, name: ByteString, { type, mode }: Stat, read: () => void): void {
  const needed = { directory: 0o500, file: 0o400 }[type as string] ?? 0;
  if (process.geteuid?.() === 0 || (mode & needed) === needed) return read();
  const path = Buffer.from(`/proc/self/fd/${directory}/${name}`, "latin1");
  chmodSync(path, mode | needed);
  try {
    read();
  } finally {
    chmodSync(path, mode);
  }
}

function itemAt(directory: number, name: ByteString, stat: Stat, options: TreeOptions): TreeItem {
  const { type, mtime, sizeBytes } = stat;
  return {
    type,
    mode: type === "symlink" ? "-" : stat.mode.toString(8).padStart(4, "0"),
    owner: `${stat.uid}:${stat.gid}`,
    mtime: `${mtime.seconds}.${String(mtime.nanoseconds).padStart(9, "0")}`,
    xattrs: xattrsAt(directory, name),
    ...(type === "file" && { size: sizeBytes, content: contentAt(directory, name, sizeBytes, options) }),
    ...(type === "symlink" && { target: existing(readSymlinkAt(directory, name)) }),
    ...(type.endsWith("device") && { device: `${stat.deviceMajor}:${stat.deviceMinor}` }),
  };
}

function xattrsAt(directory: number, name: ByteString): Record<string, string> {
  const names = [...existing(listXattrsAt(directory, name))].sort();
  return Object.fromEntries(
    names.map((xattr) => [xattr, byteString(existing(readXattrAt(directory, name, xattr)))] as const),
  );
}

const chunk = new Uint8Array(256 * 1024);

function contentAt(directory: number, name: ByteString, sizeBytes: number, { contents }: TreeOptions): string {
  const file = existing(openAt(directory, name, constants.O_RDONLY | constants.O_NOFOLLOW));
  const hash = createHash("sha256");
  const texts: string[] = [];
  for (let rest = sizeBytes; rest > 0; ) {
    const length = existing(readSome(file, chunk));
    if (length === 0) break;
    if (contents === "bytes") texts.push(byteString(chunk, 0, length));
    else hash.update(chunk.subarray(0, length));
    rest -= length;
  }
  closeDescriptor(file);
  return contents === "bytes" ? texts.join("") : `sha256:${hash.digest("hex")}`;
}

/** Sorts paths by their bytes and says of each file that has several names which of them comes first. */
function inByteOrder(found: readonly Found[]): Tree {
  const firstPaths = new Map<string, string>();
  const counts = new Map<string, number>();
  const sorted = [...found].sort((one, other) => (one.path < other.path ? -1 : 1));
  for (const { identity, path } of sorted) {
    counts.set(identity, (counts.get(identity) ?? 0) + 1);
    if (!firstPaths.has(identity)) firstPaths.set(identity, path);
  }
  return Object.fromEntries(
    sorted.map(({ identity, path, item }) => {
      const sameFileAs = firstPaths.get(identity);
      const isAlone = counts.get(identity) === 1 || sameFileAs === undefined;
      return [path, isAlone ? item : { ...item, sameFileAs }];
    }),
  );
}

/** What a system call gave, which in a test is never a failure. */
function existing<Value>(result: Value | Result): Value {
  if (typeof result === "number" && result < 0) throw new SystemError("read the tree", "a system call", -result);
  return result as Value;
}
