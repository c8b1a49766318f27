import { link, open, rename, rm, writeFile } from "node:fs/promises";
import { isErrno } from "../base/system-error.ts";

/**
 * Gives a complete file its final name and removes the temporary one. Fails with `EEXIST` if something has that name.
 */
export async function giveName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path); // a rename would replace a file that somebody made meanwhile
  } catch (error) {
    if (!isLinkless(error)) throw error;
    await replaceOurOwn(temporary, path);
  }
  await rm(temporary, { force: true });
}

/** For file systems without hard links, such as FAT: makes an empty file of that name and replaces it. */
async function replaceOurOwn(temporary: string, path: string): Promise<void> {
  await (await open(path, "wx")).close();
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function isLinkless(error: unknown): boolean {
  return isErrno(error, "EPERM", "ENOTSUP", "ENOSYS");
}

/**
 * Gives a file new content as a whole: whoever reads it sees the old content or the new one, also after a crash.
 *
 * The content is first written to `temporary`, a path on the same file system that nobody else uses.
 */
export async function replaceFile(
  path: string,
  content: Uint8Array | string,
  { mode, temporary }: { readonly mode: number; readonly temporary: string },
): Promise<void> {
  try {
    await writeFile(temporary, content, { flag: "wx", mode, flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
