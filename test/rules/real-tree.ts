import { Buffer } from "node:buffer";
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from "node:fs";
import koffi from "koffi";
import { contentOf, type Item, type Listing, listingOf, modeOf, timeOf } from "../model/listing.ts";

const libc = koffi.load(null);
const lgetxattr = libc.func("lgetxattr", "long", ["const void*", "const void*", "void*", "long"]);
const llistxattr = libc.func("llistxattr", "long", ["const void*", "void*", "long"]);

/**
 * Everything there is to see of a directory and what is below it, however deep and however named.
 *
 * Directories are held open and their children reached through `/proc/self/fd`, so no path is ever too long and no
 * symlink is followed. Looking changes access times only.
 */
export function readTree(path: string): Listing {
  const files = new Map<string, Found>();
  const root = openDirectory(Buffer.from(path));
  try {
    files.set(".", { item: itemOf(fstatSync(root, { bigint: true }), within(root, ".")), identity: root });
    readChildren(root, "", files);
  } finally {
    closeSync(root);
  }
  return listingOf(files);
}

interface Found {
  readonly item: Item;
  /** The same for all names of a file. */
  readonly identity: unknown;
}

function readChildren(
  directory: number,
  prefix: string,
  files: Map<string, Found>,
  links = new Map<string, Item>(),
): void {
  for (const name of readdirSync(`/proc/self/fd/${directory}`, "latin1")) {
    const place = within(directory, name);
    const status = lstatSync(place, { bigint: true });
    const path = `${prefix}${name}`;
    const identity = `${status.dev}:${status.ino}`;
    const item = links.get(identity) ?? itemOf(status, place); // busybox has 400 names: one is read
    files.set(path, { item, identity });
    if (status.nlink > 1n) links.set(identity, item);
    if (!status.isDirectory()) continue;
    const child = openDirectory(place);
    try {
      readChildren(child, `${path}/`, files, links);
    } finally {
      closeSync(child);
    }
  }
}

function itemOf(status: BigIntStats, place: Buffer): Item {
  const { mode, uid, gid, mtimeNs, rdev } = status;
  const type = typeOf(status);
  const item = {
    type,
    mode: type === "symlink" ? "-" : modeOf(Number(mode)),
    owner: `${uid}:${gid}`,
    mtime: timeOf((mtimeNs - nanosecondsOf(mtimeNs)) / 1_000_000_000n, nanosecondsOf(mtimeNs)),
    xattrs: xattrsOf(place),
  };
  if (type === "file") return { ...item, content: contentOf(readFileSync(place, "latin1")) };
  if (type === "symlink") return { ...item, target: readlinkSync(place, "latin1") };
  if (type.endsWith("device")) return { ...item, device: deviceOf(rdev) };
  return item;
}

function typeOf(status: BigIntStats): Item["type"] {
  if (status.isFile()) return "file";
  if (status.isDirectory()) return "directory";
  if (status.isSymbolicLink()) return "symlink";
  if (status.isFIFO()) return "fifo";
  if (status.isCharacterDevice()) return "character-device";
  if (status.isBlockDevice()) return "block-device";
  throw new TypeError("no layer makes a file of this type");
}

/** The part of a second, also where the second is before 1970. */
function nanosecondsOf(nanoseconds: bigint): bigint {
  return ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
}

/** How Linux packs device numbers for user space (sys/sysmacros.h). */
function deviceOf(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}

const room = Buffer.alloc(65_536);

function xattrsOf(place: Buffer): Record<string, string> {
  const path = Buffer.concat([place, Buffer.of(0)]);
  const length = Number(llistxattr(path, room, room.length));
  const names = length <= 0 ? [] : room.toString("latin1", 0, length - 1).split("\0");
  return Object.fromEntries(names.sort().map((name) => [name, xattrOf(path, name)]));
}

function xattrOf(path: Buffer, name: string): string {
  const length = Number(lgetxattr(path, Buffer.from(`${name}\0`, "latin1"), room, room.length));
  if (length < 0) throw new Error(`cannot read ${name}: errno ${koffi.errno()}`);
  return room.toString("latin1", 0, length);
}

function openDirectory(path: Buffer): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

function within(directory: number, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${directory}/${name}`, "latin1");
}
