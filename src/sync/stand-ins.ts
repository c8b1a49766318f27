import type { DevicePolicy } from "../base/option-words.ts";
import { Directory } from "../layer/directory.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { inOrder } from "../tree/in-order.ts";
import { FurtherName, fileOf, type TreeDirectory, TreeFile } from "../tree/tree-file.ts";
import { fileEntry } from "./tree-entries.ts";

const nothing = byteStringOf("");

/** Puts into a tree what devices become: nothing, or empty files that stand for them. */
export function putStandIns(root: TreeDirectory, devices: DevicePolicy): void {
  if (devices === "create") return;
  const standIns = new Map<TreeFile, TreeFile>();
  for (const { directory } of inOrder(root)) {
    if (directory === undefined) continue;
    for (const [name, node] of [...directory.children()]) {
      if (node instanceof Directory) continue;
      const file = fileOf(node);
      if (file.type !== "character-device" && file.type !== "block-device") continue;
      if (devices !== "placeholder") {
        directory.delete(name);
        continue;
      }
      const first = standIns.get(file);
      const standIn = first ?? standInFor(file);
      standIns.set(file, standIn);
      directory.set(name, first === undefined ? standIn : new FurtherName(first, node.layer));
    }
  }
}

function standInFor(file: TreeFile): TreeFile {
  const { layer, xattrs, isLinked } = file;
  const standIn = new TreeFile("file", { ...fileEntry(file, nothing), sizeBytes: 0 }, { layer, xattrs, content: 0 });
  standIn.isLinked = isLinked;
  return standIn;
}
