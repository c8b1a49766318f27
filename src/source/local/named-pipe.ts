import { closeSync, constants, open } from "node:fs";
import { stat } from "node:fs/promises";
import { Socket } from "node:net";
import { platform } from "node:process";
import { promisify } from "node:util";

/**
 * What comes through the pipe at `path`; undefined if none is there. Whoever asks has to destroy it.
 *
 * Read as a file, a pipe would keep a thread of libuv's pool until somebody writes: neither an abort nor the end of the
 * process would come before. A socket waits for a pipe as for a connection.
 *
 * Bun has no sockets made of a descriptor, and whether other systems wait for the first writer was not tried: there the
 * pipe is read as a file.
 */
export async function openPipe(path: string): Promise<Socket | undefined> {
  if (platform !== "linux" || "Bun" in globalThis) return undefined;
  const status = await stat(path).catch(() => undefined); // whoever opens it as a file tells the error
  if (status?.isFIFO() !== true) return undefined;
  const fd = await promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    closeSync(fd); // it is no pipe any more
    throw error;
  }
}
