import { hiddenName, meaningOf } from "../layer/name-meaning.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";

/**
 * What could not be answered without lower layers: what a name in a directory is or, without a name, all that is in it.
 */
export interface Missing {
  readonly directoryPath: ByteString;
  readonly childName: ByteString | undefined;
}

/**
 * Returns a function that says whether an entry of a lower layer may have what was missing. It compares paths as they
 * are written. If symlinks make that wrong, one more layer is read than necessary, which does no harm.
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
        // The entry of a directory says nothing about what is in it.
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
