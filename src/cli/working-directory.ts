import { UsageError } from "./usage-error.ts";

/** Paths and threads begin in the current directory, which somebody may have removed. */
export function insistOnWorkingDirectory(): void {
  try {
    process.cwd();
  } catch {
    throw new UsageError("cannot work in the current directory: it does not exist any more", "go to another one: cd /");
  }
}
