import { mkdir, rmdir } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes a directory with the parents that it needs, and gives the uppermost one that had to be made. */
export function makeDirectories(directory: string, mode: number): Promise<string | undefined> {
  return mkdir(directory, { recursive: true, mode });
}

/** Removes, from the inside out and only while they are empty, the directories that were made here. */
export async function removeCreated(directory: string, firstCreated: string | undefined): Promise<void> {
  if (firstCreated === undefined) return;
  for (let current = directory; current.length >= firstCreated.length; current = dirname(current)) {
    try {
      await rmdir(current);
    } catch {
      return; // Somebody else put something there meanwhile.
    }
  }
}
