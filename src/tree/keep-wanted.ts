import type { ByteString } from "../tar/byte-string.ts";
import { Directory } from "./directory.ts";

/** Takes out of a tree what is not wanted. The directories that lead to what is wanted stay. */
export function keepWanted(directory: Directory, isWanted: (path: ByteString) => boolean, prefix = ""): void {
  for (const [name, child] of [...directory.children()]) {
    const path = `${prefix}${name}` as ByteString;
    if (child instanceof Directory) keepWanted(child, isWanted, `${path}/`);
    const isNeeded = child instanceof Directory && !child.isEmpty;
    if (!isNeeded && !isWanted(path)) directory.delete(name);
  }
}
