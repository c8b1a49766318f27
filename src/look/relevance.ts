import { hiddenName, meaningOf } from "../layer/name-meaning.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";

/** What a tree on an unknown base could not say: what a name in a directory stands for, or all that is in it. */
export interface Missing {
  readonly directoryPath: ByteString;
  readonly childName: ByteString | undefined;
}

/**
 * Whether an entry may tell what was missing. It tells by its text alone, so that symlinks may be in between: no harm is
 * done, one layer more is read than need be.
 */
export function relevantTo({ directoryPath, childName }: Missing): (entry: Entry) => boolean {
  const child = joined([directoryPath, childName]);
  const wanted = childName === undefined ? directoryPath : child;
  return ({ path, type }) => {
    const names = path.split("/").filter((name) => name !== "" && name !== ".") as ByteString[];
    if (names.includes(".." as ByteString)) return true;
    const name = names.at(-1);
    const parents = names.slice(0, -1);
    switch (meaningOf(names)) {
      case "opaque":
        return isAtOrBelow(directoryPath, joined(parents));
      case "whiteout":
        return isAtOrBelow(wanted, joined([...parents, (name && hiddenName(name)) ?? ("" as ByteString)]));
      case "plain":
        // A directory's entry says nothing of what else is in it.
        return isAtOrBelow(wanted, joined(names)) && (type !== "directory" || joined(names) === child);
      case "root":
      case "reserved":
        return false;
    }
  };
}

function isAtOrBelow(path: string, ancestor: string): boolean {
  return ancestor === "" || path === ancestor || (path.startsWith(ancestor) && path.charAt(ancestor.length) === "/");
}

function joined(names: readonly (string | undefined)[]): string {
  return names.filter((name) => name !== undefined && name !== "").join("/");
}
