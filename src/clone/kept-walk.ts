import { findDirectoryBeneath } from "../linux/syscalls.ts";
import { Descent } from "../rootfs/descent.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { type KeptFiles, TreeChanged, unchanged } from "./kept-source.ts";
import type { LeaveStep, Listed, ListedName, Part } from "./tree-list.ts";

/** What is done on the way through a kept tree. */
export interface Visitor {
  /** Goes down to a directory. */
  enter(directory: ListedName): void;
  leave(step: LeaveStep): void;
  /** `source` is an open handle of the directory in the kept tree. */
  visit(listed: Listed, source: number): void;
}

/** Takes the steps of a part through a kept tree, whose root is open. Throws `TreeChanged` where it is another tree. */
export function walkPart(root: number, { at, steps }: Part, kept: KeptFiles, visitor: Visitor): void {
  using descent = new Descent(root, (call) => new TreeChanged(`${call} failed`));
  for (const listed of at) {
    descent.enter(foundDirectory(descent.descriptor, listed.name));
    visitor.enter(listed);
  }
  for (const step of steps) {
    switch (step.type) {
      case "enter": {
        const directory = foundDirectory(descent.descriptor, step.name);
        descent.enter(directory);
        kept.insistOnDirectory(directory, step);
        visitor.enter(step);
        break;
      }
      case "leave":
        visitor.leave(step);
        descent.leave();
        break;
      default:
        visitor.visit(step, descent.descriptor);
    }
  }
}

function foundDirectory(directory: number, name: ByteString): number {
  return unchanged(findDirectoryBeneath(directory, name), name, "openat2");
}
