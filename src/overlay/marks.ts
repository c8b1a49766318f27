import { pathIn } from "../layer/paths.ts";
import { statAt } from "../linux/stat.ts";
import type { DiskDirectory } from "../rootfs/directory.ts";
import type { Places } from "../rootfs/places.ts";
import type { Site } from "../rootfs/site.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { OverlayFormat } from "./format.ts";

/**
 * Marks in a layer that is complete what it hides of those below: names, by whiteouts; directories that were begun anew,
 * by being opaque. What nobody would see anyway is not marked.
 */
export function mark(site: Site, places: Places, format: OverlayFormat): void {
  const pending: Marking[] = [{ directory: site.tree.root, path: byteStringOf("") }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { directory, path } = next;
    for (const child of directory.directories()) pending.push({ directory: child, path: pathIn(path, child.name) });
    for (const name of directory.own.hidden ?? []) markHidden(site, places, format, next, name);
    if (isAnew(directory)) format.makeOpaque(site.tree.handles.opened(directory), path);
  }
}

interface Marking {
  readonly directory: DiskDirectory;
  /** For messages. */
  readonly path: ByteString;
}

function markHidden(
  site: Site,
  places: Places,
  format: OverlayFormat,
  { directory, path }: Marking,
  name: ByteString,
): void {
  const { handles } = site.tree;
  if (directory.own.isMade && typeof statAt(handles.of(directory), name) !== "number") return;
  if (directory.own.lower?.find(name) === undefined) return;
  places.establish(directory);
  format.makeWhiteout(handles.of(directory), name, path);
}

/** Whether a directory has nothing to do with the one that layers below have at its name. */
function isAnew({ own, parent, name }: DiskDirectory): boolean {
  return own.isMade && own.lower === undefined && parent?.own.lower?.find(name)?.directory !== undefined;
}
