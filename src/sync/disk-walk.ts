import { readEntries } from "../linux/directory-entries.ts";
import { errnos } from "../linux/errno.ts";
import { type Stat, statAt } from "../linux/stat.ts";
import { openDirectoryBeneath } from "../linux/syscalls.ts";
import { Descent } from "../rootfs/descent.ts";
import { failure } from "../rootfs/failure.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Selection } from "../tree/selection.ts";
import { type DiskEntry, succeeded } from "../verify/disk-entry.ts";

/** Something on the disk. */
export interface OnDiskEntry {
  readonly entry: DiskEntry;
  readonly stat: Stat;
}

/** A directory whose entries are being walked. */
interface Level {
  readonly entry: DiskEntry;
  readonly stat: Stat;
  readonly leftAlone: Selection;
  readonly remaining: ByteString[];
  /** Whether something in it is left alone, so that it stays itself. */
  leads: boolean;
}

/**
 * What would go with something on the disk: it, and all that is below it, a directory after what is in it. What is left
 * alone stays, with the directories that lead there. Nothing is followed, neither symlinks nor mount points.
 */
export function* goingWith(top: DiskEntry, leftAlone: Selection): Generator<OnDiskEntry, void, undefined> {
  using descent = new Descent(top.descriptor, (call, result) =>
    failure("examine", levels.at(-1)?.entry.path ?? top.path, call, result),
  );
  const levels: Level[] = [];
  const enter = (entry: DiskEntry, selection: Selection): OnDiskEntry | undefined => {
    const stat = statAt(entry.descriptor, entry.name);
    if (stat === -errnos.ENOENT) return undefined;
    const found = succeeded(stat, entry.path, "statx");
    const handle = found.type === "directory" ? openToWalk(entry) : undefined;
    if (handle === undefined) return { entry, stat: found };
    descent.enter(handle);
    const remaining = allNames(handle, entry.path);
    levels.push({ entry, stat: found, leftAlone: selection, remaining, leads: false });
    return undefined;
  };
  const first = enter(top, leftAlone);
  if (first !== undefined) yield first;
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const name = level.remaining.pop();
    if (name !== undefined) {
      const below = level.leftAlone.below(name);
      if (below.isWanted) level.leads = true;
      else {
        const path = `${level.entry.path}/${name}` as ByteString;
        const gone = enter({ descriptor: descent.descriptor, name, path }, below);
        if (gone !== undefined) yield gone;
      }
      continue;
    }
    levels.pop();
    descent.leave();
    const { entry, stat, leads } = level;
    const above = levels.at(-1);
    if (!leads) yield { entry: { ...entry, descriptor: descent.descriptor }, stat };
    else if (above !== undefined) above.leads = true;
  }
}

/** A directory that this user may not read is taken for an empty one. */
function openToWalk({ descriptor, name, path }: DiskEntry): number | undefined {
  const handle = openDirectoryBeneath(descriptor, name);
  return handle === -errnos.EACCES ? undefined : succeeded(handle, path, "openat2(RESOLVE_NO_XDEV)");
}

/** The names in an open directory. */
export function allNames(directory: number, path: ByteString): ByteString[] {
  const names: ByteString[] = [];
  for (;;) {
    const entries = succeeded(readEntries(directory), path, "getdents64");
    if (entries.length === 0) return names;
    for (const { name } of entries) names.push(name);
  }
}
