import { XattrFilter } from "../layer/xattr-rules.ts";
import { confineThread } from "../linux/confinement.ts";
import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import type { CheckTreeJob } from "../store/kept-trees.ts";
import { KeptPlaces, tellingOfChanges } from "./kept-places.ts";
import { KeptFiles } from "./kept-source.ts";
import { walkPart } from "./kept-walk.ts";
import { readLine } from "./list-reader.ts";
import type { Listed, Part } from "./tree-list.ts";

/** Reads a kept tree, all of it, and tells if it is not as it was recorded. */
export function checkTree({ tree, xattrs, parts, sandbox }: CheckTreeJob): void {
  const directory = openDirectoryPath(tree);
  try {
    confineThread(sandbox, { readableBeneath: [directory] });
    const files = new KeptFiles(new XattrFilter(xattrs));
    const visitor = {
      enter() {},
      leave() {},
      visit(listed: Listed, source: number) {
        files.insistOnAll({ directory: source, name: listed.name }, listed);
      },
    };
    using kept = new KeptPlaces(directory);
    tellingOfChanges(() => {
      for (const extent of parts) walkPart(kept.rootfs, readLine<Part>(kept.list, extent), files, visitor);
    });
  } finally {
    closeDescriptor(directory);
  }
}
