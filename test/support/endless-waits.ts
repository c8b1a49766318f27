import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Arguments for Node with which a program that waits for seconds waits for ever, so that what it does depends on nothing
 * but what happens. The file for it is made in a directory.
 */
export async function withEndlessWaits(directory: string): Promise<string[]> {
  const preloaded = join(directory, "endless-waits.cjs");
  await writeFile(
    preloaded,
    "const wait = setTimeout; globalThis.setTimeout = (act, ms) => wait(act, ms >= 2000 ? 2 ** 30 : ms);",
  );
  return ["--require", preloaded];
}
