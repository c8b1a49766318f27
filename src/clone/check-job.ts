import { XattrFilter } from "../layer/xattr-rules.ts";
import { confineThread } from "../linux/confinement.ts";
import { closeDescriptor } from "../linux/syscalls.ts";
import type { CheckTreeJob, LineExtent } from "../store/kept-trees.ts";
import { KeptPlaces, openTree, tellingOfChanges } from "./kept-places.ts";
import { KeptFiles } from "./kept-source.ts";
import { walkPart } from "./kept-walk.ts";
import { readLine } from "./list-reader.ts";
import type { Listed, Part } from "./tree-list.ts";

/** Reads a kept tree, all of it, and tells if it is not as it was recorded. */
export function checkTree({ tree, xattrs, parts, sandbox }: CheckTreeJob): void {
  const files = new KeptFiles(new XattrFilter(xattrs));
  const visitor = {
    enter() {},
    leave() {},
    visit(listed: Listed, source: number) {
      files.insistOnAll({ directory: source, name: listed.name }, listed);
    },
  };
  tellingOfChanges(() => {
    const directory = openTree(tree);
    try {
      confineThread(sandbox, { readableBeneath: [directory] });
      using kept = new KeptPlaces(directory);
      const walk = (extent: LineExtent) => walkPart(kept.rootfs, readLine<Part>(kept.list, extent), files, visitor);
      parts.forEach(walk);
    } finally {
      closeDescriptor(directory);
    }
  });
}
