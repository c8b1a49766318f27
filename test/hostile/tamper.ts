import { readdirSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";

// Run as a process of its own: TARGET OUTSIDE. Waits for the staging directory in TARGET and then, as fast as it can,
// puts symlinks to OUTSIDE in the place of its directories and takes them away again.

const [target = "", outside = ""] = process.argv.slice(2);
process.on("SIGTERM", () => process.exit());
process.send?.("ready");

let swaps = 0;
for (;;) {
  for (const directory of directories()) swap(directory);
  if (swaps > 0 && swaps % 1000 === 0) process.send?.({ swaps });
  await new Promise(setImmediate); // for signals
}

/** The staging directory's own name may be swapped too, and so may what stands in it. */
function directories(): string[] {
  const stagings = names(target).map((name) => join(target, name));
  return [...stagings.flatMap((staging) => names(staging).map((name) => join(staging, name))), ...stagings];
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => !name.endsWith(".away") && name !== "config.json");
  } catch {
    return [];
  }
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
