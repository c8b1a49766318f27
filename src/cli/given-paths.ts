import { isUtf8 } from "node:buffer";
import { readFileSync, readlinkSync } from "node:fs";
import { UsageError } from "./usage-error.ts";

/** What Node puts into text for bytes that are not UTF-8. A name may have it as well. */
const replacement = "\uFFFD";

/**
 * Throws if paths of the command line would lead elsewhere: Node gives arguments and the current directory as text, and a
 * path that is not UTF-8 would become another one. Throws also if the current directory has been removed, because paths
 * and threads need it.
 */
export function insistOnGivenPaths(args: readonly string[]): void {
  const argument = args.find((each) => each.includes(replacement));
  if (argument !== undefined && !areUtf8(() => readFileSync("/proc/self/cmdline"))) {
    throw new UsageError(`cannot use "${argument}": it is not UTF-8`, "give that another name, or a link to it: ln -s");
  }
  const directory = workingDirectory();
  if (directory.includes(replacement) && !areUtf8(() => readlinkSync("/proc/self/cwd", "buffer"))) {
    throw new UsageError(
      `cannot work in the current directory: its name "${directory}" is not UTF-8`,
      "go to another one: cd /",
    );
  }
}

function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    throw new UsageError("cannot work in the current directory: it does not exist any more", "go to another one: cd /");
  }
}

/** Whether the bytes behind a text are UTF-8. Systems that do not tell them have names in Unicode only. */
function areUtf8(read: () => Uint8Array): boolean {
  try {
    return isUtf8(read());
  } catch {
    return true;
  }
}
