import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";

/** Removes a directory with everything below it, however deep: what is too long a path for Node is not for rm. */
export function removeTree(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    execFileSync("rm", ["-rf", directory]);
  }
}
