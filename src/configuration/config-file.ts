import { open } from "node:fs/promises";
import { OciUnpackError } from "../base/errors.ts";
import type { EventListener, FetchOptions } from "../base/events.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";

/** The most bytes of a file: four times as many as the largest real ones have, bundles of certificates. */
const largestBytes = 1024 * 1024;

/** The text of a configuration file; `undefined` if there is none. An event tells which of both it is. */
export async function readConfigFile(path: string, { onEvent }: FetchOptions = {}): Promise<string | undefined> {
  try {
    const text = await readText(path);
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

/** Reads to the end and does not use the file's size, because the file may be a pipe: `<(command)`. */
async function readText(path: string): Promise<string> {
  await using file = await open(path);
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(64 * 1024));
    if (bytesRead === 0) return new TextDecoder().decode(Buffer.concat(chunks));
    size += bytesRead;
    if (size > largestBytes) {
      throw new OciUnpackError("CONFIGURATION", `cannot read "${path}": it has more than ${largestBytes} bytes`);
    }
    chunks.push(buffer.subarray(0, bytesRead));
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
