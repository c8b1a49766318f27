import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { applySettings } from "../../src/layer/settings.ts";
import { closeDescriptor, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { HandedFileMaker } from "../../src/rootfs/handed-file-maker.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { file, pieces } from "../support/entries.ts";

/*
 * Makes files in the given directory while the process has as many files open as it may, by a maker to which they were
 * handed on, and prints what is there.
 */

const [, , within = ""] = process.argv;
const directories = Array.from({ length: 6 }, (_, index) => `d${index}`);
for (const name of directories) mkdirSync(join(within, name));

const fileSystem = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, keepsModes: true, foldsNames: false };
const root = openDirectoryPath(within);
const others: number[] = [];
const before = handles();
make();
for (const handle of others) closeSync(handle);
const more = handles() - before;
closeDescriptor(root);

const made = directories.flatMap((name) =>
  readdirSync(join(within, name)).filter(
    (file) => readFileSync(join(within, name, file), "utf8") === `${name}/${file}`,
  ),
);
process.stdout.write(`${made.length} files in ${directories.length} directories, ${more} handles more than before\n`);

function make(): void {
  using maker = new HandedFileMaker(root, applySettings(), fileSystem);
  maker.enter(byteStringOf(""));
  takeAllHandles();
  for (const directory of directories) {
    maker.enter(byteStringOf(directory));
    for (let index = 0; index < 10; index += 1) {
      takeAllHandles();
      const path = `${directory}/${index}`;
      const { entry, data } = file(path, path);
      maker.make(byteStringOf(`${index}`), entry, pieces(data));
    }
  }
}

/** Opens as many files as the process still may. */
function takeAllHandles(): void {
  try {
    for (;;) others.push(openSync("/dev/null", "r"));
  } catch {
    // There are no more.
  }
}

function handles(): number {
  return readdirSync("/proc/self/fd").length;
}
