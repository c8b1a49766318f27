import { closeDescriptor, makeLinkAt, openDirectoryBeneath } from "../linux/syscalls.ts";
import { failure } from "../rootfs/failure.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { NewFiles } from "./new-files.ts";
import type { ListedDirectory, ListedLink, Way } from "./tree-list.ts";

/* What is done with a clone when all of its files are made. */

/** Gives a file of the clone a further name. */
export function makeLink(root: number, { way, name, originalWay, originalName }: ListedLink): void {
  inDirectory(root, originalWay, (original) =>
    inDirectory(root, way, (directory) => {
      const result = makeLinkAt(original, originalName, directory, name);
      if (result < 0) throw failure("create", name, "linkat", result);
    }),
  );
}

/** Gives a directory of the clone its attributes. */
export function completeDirectory(root: number, { way, attributes }: ListedDirectory, files: NewFiles): void {
  const name = way.at(-1);
  if (name === undefined) return files.completeRoot(root, attributes);
  inDirectory(root, way.slice(0, -1), (parent) => files.completeDirectory(parent, name, attributes));
}

/** More names than this are not opened at once: the kernel takes no path longer than 4095 bytes. */
const namesAtOnce = 15;

/** Does something in a directory of the clone. */
function inDirectory(root: number, way: Way, work: (directory: number) => void): void {
  let directory = root;
  try {
    for (let at = 0; at < way.length; at += namesAtOnce) {
      const names = way.slice(at, at + namesAtOnce).join("/") as ByteString;
      const next = openDirectoryBeneath(directory, names);
      if (next < 0) throw failure("clone into", names, "openat2", next);
      if (directory !== root) closeDescriptor(directory);
      directory = next;
    }
    work(directory);
  } finally {
    if (directory !== root) closeDescriptor(directory);
  }
}
