import { Directory, impliedAttributes, never } from "../layer/directory.ts";
import { type DirectoryEntry, readEntries, rewindEntries } from "../linux/directory-entries.ts";
import { errnos } from "../linux/errno.ts";
import { type Stat, statAt, statOf } from "../linux/stat.ts";
import type { RootfsContext } from "../rootfs/context.ts";
import {
  type DiskDirectory,
  DiskState,
  type LowerDirectory,
  type LowerNode,
  type OnDisk,
} from "../rootfs/disk-directory.ts";
import type { DiskXattrs, XattrValues } from "../rootfs/disk-xattrs.ts";
import { failure } from "../rootfs/failure.ts";
import { Handles } from "../rootfs/handles.ts";
import type { Owners } from "../rootfs/owners.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { OverlayFormat } from "./overlay-format.ts";

/** Directories of layers keep nothing here but their position: what they are is read from the disk. */
const unread = impliedAttributes({ sourceDateEpoch: 0 });

function positionOnly(position?: { readonly parent: DiskDirectory; readonly name: ByteString }): DiskDirectory {
  return new Directory<OnDisk>(position, { layer: never, attributes: unread, own: new DiskState(0) });
}

const self = byteStringOf(".");

/** Layers that lie in directories of their own, seen as the overlay that they make up. */
export class LowerLayers {
  readonly #handles: Handles;
  readonly #roots: readonly DiskDirectory[];
  readonly #top: DiskDirectory;
  readonly #format: OverlayFormat;

  /** Open handles of the layers' directories, topmost first. They stay the caller's to close. */
  constructor(layers: readonly [number, ...number[]], format: OverlayFormat) {
    this.#roots = layers.map((descriptor) => {
      const root = positionOnly();
      root.own.descriptor = descriptor;
      return root;
    });
    const [top] = this.#roots;
    if (top === undefined) throw new RangeError("there are no layers below");
    this.#top = top;
    this.#handles = new Handles(top, layers[0]);
    this.#format = format;
  }

  /** The root that they show, as far as it is an image's: that is for `owners` and `xattrs` to say. */
  root({ owners, xattrs }: Pick<RootfsContext, "owners" | "xattrs">): LowerDirectory {
    const view = { handles: this.#handles, format: this.#format, owners, xattrs };
    const handle = this.#handles.of(this.#top);
    const stat = existing(statOf(handle), this.#top);
    return new MergedDirectory(view, this.#roots, { ...stat, ...owners.statedAt(handle, self, stat) });
  }

  close(): void {
    this.#handles.close();
  }
}

/**
 * What a merged directory takes in memory, and what each layer's part in it takes besides. Measured on Node 20: 543
 * bytes, and 231 for each part.
 */
const mergedBytes = 560;
const partBytes = 256;

interface View {
  readonly handles: Handles;
  readonly format: OverlayFormat;
  readonly owners: Owners;
  readonly xattrs: DiskXattrs;
}

/** A directory that several layers may have; the topmost one says what it is. */
class MergedDirectory implements LowerDirectory {
  readonly stat: Stat;
  readonly #view: View;
  readonly #parts: readonly DiskDirectory[];

  constructor(view: View, parts: readonly DiskDirectory[], stat: Stat) {
    this.#view = view;
    this.#parts = parts;
    this.stat = stat;
  }

  get bytes(): number {
    return mergedBytes + partBytes * this.#parts.length;
  }

  get xattrs(): XattrValues {
    const [top] = this.#parts;
    return top === undefined ? new Map() : this.#view.xattrs.readAt(this.#view.handles.of(top), self);
  }

  find(name: ByteString): LowerNode | undefined {
    const { handles, format, owners } = this.#view;
    const parts: DiskDirectory[] = [];
    let stat: Stat | undefined;
    for (const part of this.#parts) {
      const handle = handles.of(part);
      const found = statAt(handle, name);
      if (found === -errnos.ENOENT) continue;
      const node = existing(found, part);
      if (node.type !== "directory") {
        if (stat === undefined) return isWhiteout(node) ? undefined : { handle, stat: node };
        break;
      }
      stat ??= { ...node, ...owners.statedAt(handle, name, node) };
      parts.push(positionOnly({ parent: part, name }));
      if (format.isOpaque(handle, name)) break;
    }
    return stat === undefined ? undefined : { directory: new MergedDirectory(this.#view, parts, stat) };
  }

  /** Each is looked at once, in the topmost layer that has it. */
  *names(): Iterable<ByteString> {
    const seen = new Set<ByteString>();
    for (const part of this.#parts) {
      const handle = this.#view.handles.opened(part);
      for (const { name, isDirectory } of entriesOf(handle, part)) {
        if (seen.has(name)) continue;
        seen.add(name);
        if (isDirectory || !isWhiteout(existing(statAt(handle, name), part))) yield name;
      }
    }
  }
}

function* entriesOf(handle: number, directory: DiskDirectory): Iterable<DirectoryEntry> {
  rewindEntries(handle);
  for (;;) {
    const entries = readEntries(handle);
    if (typeof entries === "number") throw failure("examine", directory.path, "getdents64", entries);
    if (entries.length === 0) return;
    yield* entries;
  }
}

function isWhiteout({ type, deviceMajor, deviceMinor }: Stat): boolean {
  return type === "character-device" && deviceMajor === 0 && deviceMinor === 0;
}

function existing(stat: Stat | number, directory: DiskDirectory): Stat {
  if (typeof stat === "number") throw failure("examine", directory.path, "statx", stat);
  return stat;
}
