import { Buffer } from "node:buffer";
import type { SandboxPolicy } from "../base/option-words.ts";
import { XattrFilter } from "../layer/xattr-rules.ts";
import { confineThread } from "../linux/confinement.ts";
import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import type { ListLayout, XattrLists } from "../store/kept-trees.ts";
import { Outlet, type SharedOutlet } from "../worker/outlet.ts";
import { tell } from "../worker/serve.ts";
import { KeptPlaces } from "./kept-places.ts";
import { KeptFiles } from "./kept-source.ts";
import { walkPart } from "./kept-walk.ts";
import { readLine } from "./list-reader.ts";
import type { Line, Listed, Part } from "./tree-list.ts";

/** Asks for the list of a tree as it is now that its files have further names, which changes their ctime. */
export interface RefreshListJob {
  readonly type: "refresh-list";
  /** Absolute path of the tree's directory, with `rootfs` and the list in it. */
  readonly tree: string;
  readonly layout: ListLayout;
  readonly xattrs: XattrLists;
  readonly sandbox: SandboxPolicy;
  readonly outlet: SharedOutlet;
}

export function refreshList({ tree, layout, xattrs, sandbox, outlet: shared }: RefreshListJob): void {
  const outlet = new Outlet(shared, (bytes) => tell({ type: "bytes", bytes }));
  const write = (line: Line) => outlet.write(Buffer.from(`${JSON.stringify(line)}\n`));
  const files = new KeptFiles(new XattrFilter(xattrs));
  const directory = openDirectoryPath(tree);
  try {
    confineThread(sandbox, { readableBeneath: [directory] });
    using kept = new KeptPlaces(directory);
    for (const extent of layout.parts) write(refreshed(kept.rootfs, readLine<Part>(kept.list, extent), files));
    for (const extent of [...layout.links, ...layout.directories]) write(readLine(kept.list, extent));
  } finally {
    closeDescriptor(directory);
  }
  outlet.end();
}

function refreshed(root: number, part: Part, files: KeptFiles): Part {
  const now = new Map<Listed, Listed>();
  walkPart(root, part, files, {
    enter() {},
    leave() {},
    visit(listed: Listed, source: number) {
      now.set(listed, files.refreshed({ directory: source, name: listed.name }, listed));
    },
  });
  const steps = part.steps.map((step) =>
    step.type === "enter" || step.type === "leave" ? step : (now.get(step) ?? step),
  );
  return { at: part.at, steps };
}
