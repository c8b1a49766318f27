import { constants } from "node:fs";
import type { ByteString } from "../tar/byte-string.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";
import { CString, calls, declare, type Result } from "./libc.ts";

/** The attributes of a file, from `struct statx`. */
export interface Stat {
  readonly type: "file" | "directory" | "symlink" | "fifo" | "character-device" | "block-device" | "socket";
  /** The permission bits, set-user-ID, set-group-ID and sticky included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** How many hard links it has. */
  readonly nameCount: number;
  readonly sizeBytes: number;
  /** What it takes on the disk: less than its size where it has holes, or where the file system compresses it. */
  readonly allocatedBytes: number;
  readonly mtime: Timestamp;
  readonly atime: Timestamp;
  /** When anything of it was last changed: content, attributes or names. Nobody can set it. */
  readonly ctime: Timestamp;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Whether it is immutable or append-only: then none of its names can be removed, and nothing out of a directory. */
  readonly isProtected: boolean;
  /** The device that the file lies on. */
  readonly fileSystem: string;
  /** The number of its inode, on that device. */
  readonly inode: number | bigint;
  /** Device and inode number: the same for two handles of one file, as long as it exists. */
  readonly identity: string;
}

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_INO = 0x100;
const STATX_ATTR_IMMUTABLE = 0x10;
const STATX_ATTR_APPEND = 0x20;
/** Size, number of names, time of modification and of change. */
const STATX_STAMP = 0x2c4;

const protectedAttributes = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND;

const statx = declare<[number, number, Uint8Array, number, number, Uint8Array]>(
  "syscall",
  ["long", "int", "const void*", "int", "uint32_t", "void*"],
  "long",
);

const path = new CString();
const empty = byteStringOf("");
const bytes = new Uint8Array(256);
const view = new DataView(bytes.buffer);
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The attributes of an open file, or a negated errno. */
export function statOf(descriptor: number): Stat | Result {
  return statxAt(descriptor, empty, AT_EMPTY_PATH);
}

/** The attributes of what is at a name in a directory, or a negated errno. A symlink is not followed. */
export function statAt(directory: number, name: ByteString): Stat | Result {
  return statxAt(directory, name, AT_SYMLINK_NOFOLLOW);
}

/** What shows that a file was not changed since. */
export interface Stamp {
  readonly sizeBytes: number;
  /** How many names the file has. */
  readonly nameCount: number;
  readonly mtime: Timestamp;
  readonly ctime: Timestamp;
}

/** As `statOf`, but only what shows whether a file was changed: half the time, for what is done with every file. */
export function stampOf(descriptor: number): Stamp | Result {
  return stampFrom(statx(calls.statx, descriptor, path.of(empty), AT_EMPTY_PATH, STATX_STAMP, bytes));
}

/** As `statAt`, but only what shows whether a file was changed. */
export function stampAt(directory: number, name: ByteString): Stamp | Result {
  return stampFrom(statx(calls.statx, directory, path.of(name), AT_SYMLINK_NOFOLLOW, STATX_STAMP, bytes));
}

/** The identity of what is at a name in a directory, or a negated errno: a third of the time of `statAt`. */
export function identityAt(directory: number, name: ByteString): Stat["identity"] | Result {
  const result = statx(calls.statx, directory, path.of(name), AT_SYMLINK_NOFOLLOW, STATX_INO, bytes);
  return result < 0 ? result : identityRead();
}

function identityRead(): Stat["identity"] {
  return `${fileSystemRead()}:${numberAt(32)}`;
}

// Most files are on the file system that the one before was on, and its name need not be made again.
let lastMajor = 0;
let lastMinor = 0;
let lastFileSystem = "0:0";

function fileSystemRead(): Stat["fileSystem"] {
  const major = view.getUint32(136, littleEndian);
  const minor = view.getUint32(140, littleEndian);
  if (major !== lastMajor || minor !== lastMinor) {
    lastMajor = major;
    lastMinor = minor;
    lastFileSystem = `${major}:${minor}`;
  }
  return lastFileSystem;
}

/** A number of 64 bits without a sign, exact: as a `number` where that is, which takes a fraction of the time. */
function numberAt(offset: number): number | bigint {
  const low = view.getUint32(littleEndian ? offset : offset + 4, littleEndian);
  const high = view.getUint32(littleEndian ? offset + 4 : offset, littleEndian);
  return high < 0x20_0000 ? high * 0x1_0000_0000 + low : view.getBigUint64(offset, littleEndian);
}

function stampFrom(result: Result): Stamp | Result {
  if (result < 0) return result;
  return {
    sizeBytes: Number(numberAt(40)),
    nameCount: view.getUint32(16, littleEndian),
    mtime: timestampAt(112),
    ctime: timestampAt(96),
  };
}

function statxAt(directory: number, name: ByteString, flags: number): Stat | Result {
  const result = statx(calls.statx, directory, path.of(name), flags, STATX_BASIC_STATS, bytes);
  if (result < 0) return result;
  const mode = view.getUint16(28, littleEndian);
  const fileSystem = fileSystemRead();
  const inode = numberAt(32);
  return {
    type: typeOf(mode & constants.S_IFMT),
    mode: mode & 0o7777,
    uid: view.getUint32(20, littleEndian),
    gid: view.getUint32(24, littleEndian),
    nameCount: view.getUint32(16, littleEndian),
    sizeBytes: Number(numberAt(40)),
    allocatedBytes: 512 * Number(numberAt(48)),
    atime: timestampAt(64),
    ctime: timestampAt(96),
    mtime: timestampAt(112),
    deviceMajor: view.getUint32(128, littleEndian),
    deviceMinor: view.getUint32(132, littleEndian),
    isProtected: (view.getUint32(littleEndian ? 8 : 12, littleEndian) & protectedAttributes) !== 0,
    fileSystem,
    inode,
    identity: `${fileSystem}:${inode}`,
  };
}

function timestampAt(offset: number): Timestamp {
  const low = view.getUint32(littleEndian ? offset : offset + 4, littleEndian);
  const high = view.getInt32(littleEndian ? offset + 4 : offset, littleEndian);
  return {
    seconds: high * 0x1_0000_0000 + low,
    nanoseconds: view.getUint32(offset + 8, littleEndian),
  };
}

function typeOf(type: number): Stat["type"] {
  switch (type) {
    case constants.S_IFDIR:
      return "directory";
    case constants.S_IFLNK:
      return "symlink";
    case constants.S_IFIFO:
      return "fifo";
    case constants.S_IFCHR:
      return "character-device";
    case constants.S_IFBLK:
      return "block-device";
    case constants.S_IFSOCK:
      return "socket";
    default:
      return "file";
  }
}
