import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";

/**
 * Removes a directory with everything below it, however deep, and also where its owner may not enter a directory: what is
 * too long a path for Node is not for rm.
 */
export function removeTree(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    spawnSync("chmod", ["-R", "u+rwX", directory], { stdio: "ignore" });
    const { status, stderr } = spawnSync("rm", ["-rf", directory], { encoding: "utf8" });
    if (status !== 0) throw new Error(`cannot remove ${directory}: ${stderr}`);
  }
}
