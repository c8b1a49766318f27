import { Buffer } from "node:buffer";
import { contentOf, type Item, type Listing, modeOf, timeOf } from "../model/listing.ts";
import { defaultMtime } from "../support/tar-builder.ts";

/** What may be said of an expected file; whatever is not said is what the archive builder writes by default. */
export interface Said {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number | readonly [seconds: number, nanoseconds: number];
  /** Text stands for its UTF-8 bytes. */
  readonly xattrs?: Readonly<Record<string, string | Uint8Array>>;
}

/** Another name of a file that stands elsewhere in the tree. */
interface SameAs {
  readonly sameAs: string;
}

/** What a tree must be: path to file, where plain text is a file with that content. The root may be left out: see `implied`. */
export type ExpectedTree = Readonly<Record<string, string | Item | SameAs>>;

/** The words that expected trees are made of. */
export const is = {
  file: (content: string, said: Said = {}): Item => ({
    ...item("file", 0o644, said),
    content: contentOf(latin1(content)),
  }),
  directory: (said: Said = {}): Item => item("directory", 0o755, said),
  symlink: (target: string, said: Said = {}): Item => ({
    ...item("symlink", 0, said),
    mode: "-",
    target: latin1(target),
  }),
  fifo: (said: Said = {}): Item => item("fifo", 0o644, said),
  device: (kind: "character" | "block", device: string, said: Said = {}): Item => ({
    ...item(`${kind}-device`, 0o600, said),
    device,
  }),
  /** The same file as another path: an inode, not a copy. */
  sameAs: (path: string): SameAs => ({ sameAs: path }),
  /** A directory that no layer describes (T18, T19). */
  implied: (): Item => item("directory", 0o755, { mtime: 0 }),
} as const;

/** The listing that an expected tree stands for. */
export function expectedListing(tree: ExpectedTree): Listing {
  const items = new Map<string, Item>(Object.entries({ ".": is.implied() }));
  for (const [path, expected] of Object.entries(tree)) {
    if (typeof expected === "string") items.set(path, is.file(expected));
    else if (!("sameAs" in expected)) items.set(path, expected);
  }
  for (const [path, expected] of Object.entries(tree)) {
    if (typeof expected === "string" || !("sameAs" in expected)) continue;
    const original = items.get(expected.sameAs);
    if (original === undefined) throw new TypeError(`${path} is said to be ${expected.sameAs}, which is not there`);
    for (const name of [path, expected.sameAs]) items.set(name, { ...original, sameFileAs: expected.sameAs });
  }
  return Object.fromEntries([...items].map(([path, found]) => [latin1(path), found]));
}

function item(type: Item["type"], defaultMode: number, said: Said): Item {
  const { mode = defaultMode, uid = 0, gid = 0, mtime = defaultMtime, xattrs = {} } = said;
  const [seconds, nanoseconds] = typeof mtime === "number" ? [mtime, 0] : mtime;
  const pairs = Object.entries(xattrs).map(([name, value]) => [name, latin1(value)] as const);
  return {
    type,
    mode: modeOf(mode),
    owner: `${uid}:${gid}`,
    mtime: timeOf(seconds, nanoseconds),
    xattrs: Object.fromEntries(pairs.sort(([one], [other]) => (one < other ? -1 : 1))),
  };
}

/** A name or a value as listings have it: one character for each byte. */
export function latin1(value: string | Uint8Array): string {
  return (typeof value === "string" ? Buffer.from(value, "utf8") : Buffer.from(value)).toString("latin1");
}
