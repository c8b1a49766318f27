import { lstatSync, readdirSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";

// Run as a process of its own: TARGETS OUTSIDE. Finds what is being unpacked into the directories of TARGETS and, as fast
// as it can, puts symlinks to OUTSIDE in the place of directories there and takes them away again. Tells its parent how
// often it did.

const [targets = "", outside = ""] = process.argv.slice(2);

let swaps = 0;
for (let round = 1; ; round++) {
  const stagings = below(targets).flatMap(below);
  const folders = stagings.flatMap(below);
  // The staging directory itself is swapped now and then only: without it nothing else can be tried.
  const directory = round % 50 === 0 ? oneOf(stagings) : oneOf(folders);
  if (directory !== undefined) swap(directory);
  if (round % 20 !== 0) continue;
  process.send?.(swaps);
  await new Promise(setImmediate);
}

/**
 * What is in a directory. Not behind a symlink: one that was swapped in stays if the program renamed it just then, and whoever
 * went on behind it would swap the canaries themselves.
 */
function below(directory: string): string[] {
  try {
    if (lstatSync(directory).isSymbolicLink()) return [];
    const names = readdirSync(directory).filter((name) => !name.endsWith(".away") && name !== "config.json");
    return names.map((name) => join(directory, name));
  } catch {
    return [];
  }
}

function oneOf(paths: readonly string[]): string | undefined {
  return paths[Math.floor(Math.random() * paths.length)];
}

function swap(directory: string): void {
  const away = `${directory}.away`;
  try {
    renameSync(directory, away);
    symlinkSync(outside, directory);
    swaps++;
    unlinkSync(directory);
  } catch {
    // The program was faster with this one.
  }
  try {
    renameSync(away, directory);
  } catch {
    // So it was with that.
  }
}
