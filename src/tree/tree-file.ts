import type { Attributes, BackEndTypes, Directory, NodeOf } from "../layer/directory.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { type Entry, type EntryType, isDevice, type Segment, type Timestamp } from "../tar/entry.ts";

/** What a tree in memory keeps. */
export interface InMemory extends BackEndTypes {
  readonly file: TreeFile | FurtherName;
  readonly own: undefined;
  readonly original: TreeFile;
}

/** A directory of a tree in memory. */
export type TreeDirectory = Directory<InMemory>;

/** What a name in a tree in memory stands for. */
export type TreeNode = NodeOf<InMemory>;

/** What few files have, kept apart so that the many take less memory. */
interface Rarities {
  readonly atime: Timestamp | undefined;
  readonly xattrs: Attributes["xattrs"];
  readonly segments: readonly Segment[] | undefined;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** What a file is not told by its entry, or not as it is to be. */
interface Circumstances {
  readonly layer: number;
  readonly xattrs: Attributes["xattrs"];
  readonly content: number;
}

/** What is no directory: a file, symlink, fifo or device. All its names share it. */
export class TreeFile implements Attributes {
  readonly type: Exclude<EntryType, "directory" | "hardlink" | "other">;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  /** Holes counted; 0 for what is no regular file. */
  readonly sizeBytes: number;
  /** Where the data are, in the words of whoever builds the tree, who may move them. */
  content: number;
  /** Where a symlink leads. */
  readonly linkPath: ByteString;
  /** The layer that brought it. */
  readonly origin: number;
  /** The layer that its first name belongs to. */
  layer: number;
  /** Whether it ever had a further name. */
  isLinked = false;
  readonly #rarities: Rarities | undefined;

  constructor(type: TreeFile["type"], entry: Entry, { layer, xattrs, content }: Circumstances) {
    const { atime, segments, deviceMajor, deviceMinor } = entry;
    const isRegular = type === "file";
    this.type = type;
    // Linux has one mode for all symlinks, and it means nothing.
    this.mode = type === "symlink" ? 0o777 : entry.mode & 0o7777;
    this.uid = entry.uid;
    this.gid = entry.gid;
    this.mtime = entry.mtime;
    this.sizeBytes = isRegular ? entry.sizeBytes : 0;
    this.content = content;
    this.linkPath = entry.linkPath;
    this.origin = layer;
    this.layer = layer;
    const isPlain = (atime ?? xattrs ?? segments) === undefined && !isDevice({ type });
    this.#rarities = isPlain ? undefined : { atime, xattrs, segments, deviceMajor, deviceMinor };
  }

  /** Whether it has nothing of what few files have. */
  get isPlain(): boolean {
    return this.#rarities === undefined;
  }

  get atime(): Timestamp | undefined {
    return this.#rarities?.atime;
  }

  get xattrs(): Attributes["xattrs"] {
    return this.#rarities?.xattrs;
  }

  /** Where the data go in a sparse file. */
  get segments(): readonly Segment[] | undefined {
    return this.#rarities?.segments;
  }

  get deviceMajor(): number {
    return this.#rarities?.deviceMajor ?? 0;
  }

  get deviceMinor(): number {
    return this.#rarities?.deviceMinor ?? 0;
  }
}

/** A name that a file has besides its first one. */
export class FurtherName {
  readonly file: TreeFile;
  /** The layer that the name belongs to. */
  layer: number;

  constructor(file: TreeFile, layer: number) {
    this.file = file;
    this.layer = layer;
  }
}

/** The file that a name stands for. */
export function fileOf(named: InMemory["file"]): TreeFile {
  return named instanceof TreeFile ? named : named.file;
}

// What things take in memory besides their texts, places in maps included. Measured on Node 20 with 100,000 of each,
// and rounded up: a file 221 bytes, a directory 317, and 130 more with things in it, a further name 102, a name that is
// known to be free 61.
const fileBytes = 232;
const directoryBytes = 456;
const furtherNameBytes = 112;
const freeNameBytes = 72;

// What few files have. Measured likewise: 100 bytes for a time of access, 496 for one extended attribute, 299 for each
// of ten, 93 for a segment that lies beyond 2 GiB.
const raritiesBytes = 112;
const xattrsBytes = 200;
const xattrBytes = 304;
const segmentBytes = 96;

/** What a name in a directory takes together with what it stands for. */
export function bytesOfNode(name: ByteString, node: TreeNode): number {
  if (node instanceof TreeFile) {
    return name.length + (node.isPlain ? fileBytes + node.linkPath.length : bytesOfFile(node));
  }
  if (node instanceof FurtherName) return furtherNameBytes + name.length;
  return directoryBytes + name.length + bytesOfXattrs(node.attributes);
}

/** What is given back when a name goes. A file that had several names may have another: it stays counted. */
export function bytesReleasedBy(name: ByteString, node: TreeNode): number {
  return node instanceof TreeFile && node.isLinked ? furtherNameBytes + name.length : bytesOfNode(name, node);
}

/** What is remembered of a name that is known to be free. */
export function bytesOfFreeName(name: ByteString): number {
  return freeNameBytes + name.length;
}

/** What extended attributes take. */
export function bytesOfXattrs({ xattrs }: Pick<Attributes, "xattrs">): number {
  if (xattrs === undefined) return 0;
  let bytes = xattrsBytes;
  for (const [name, value] of xattrs) bytes += xattrBytes + name.length + value.length;
  return bytes;
}

/** What an entry takes while it is kept as it is. */
export function bytesOfEntry({
  path,
  linkPath,
  atime,
  segments,
  xattrs,
}: Kept & { readonly path: ByteString }): number {
  return path.length + bytesOfFile({ linkPath, atime, segments, xattrs });
}

type Kept = Pick<TreeFile, "linkPath"> & {
  readonly atime?: unknown;
  readonly segments?: readonly Segment[] | undefined;
  readonly xattrs?: Attributes["xattrs"];
};

function bytesOfFile({ linkPath, atime, segments, xattrs }: Kept): number {
  if ((atime ?? segments ?? xattrs) === undefined) return fileBytes + linkPath.length;
  return (
    fileBytes + linkPath.length + raritiesBytes + segmentBytes * (segments?.length ?? 0) + bytesOfXattrs({ xattrs })
  );
}
