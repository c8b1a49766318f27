import { link, open, rename, rm } from "node:fs/promises";
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
