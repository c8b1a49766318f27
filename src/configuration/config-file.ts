import { OciUnpackError } from "../base/errors.ts";
import type { EventListener, FetchOptions } from "../base/events.ts";
import { readSmallFile } from "../base/small-file.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";

/** The text of a configuration file; `undefined` if there is none. An event tells which of both it is. */
export async function readConfigFile(path: string, { onEvent }: FetchOptions = {}): Promise<string | undefined> {
  try {
    const text = new TextDecoder().decode(await readSmallFile(path, "CONFIGURATION"));
    tellOfFile(onEvent, path, "is read");
    return text;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) {
      tellOfFile(onEvent, path, "is not there");
      return undefined;
    }
    if (!isErrno(error, "EACCES")) throw fileSystemError(error, `read "${path}"`);
    throw new OciUnpackError("FILE_SYSTEM", `cannot read "${path}": this user may not`, {
      hint: "make it readable; if it is another user's, set HOME to your own home directory",
      cause: error,
    });
  }
}

/** Tells the listener whether a file or directory of configuration is used. */
export function tellOfFile(
  onEvent: EventListener | undefined,
  path: string,
  found: "is read" | "is not there" | "counts",
): void {
  onEvent?.({ type: "decision", topic: "configuration", message: `${path} ${found}` });
}

/**
 * Tells the listener that a file, or a part of it, could not be used.
 *
 * The message names the file and says what is wrong. It contains no value from the file, because that may be a secret.
 */
export function warnOfFile(onEvent: EventListener | undefined, message: string): void {
  onEvent?.({ type: "warning", code: "CONFIGURATION", message });
}
