import { link, open, rename, rm } from "node:fs/promises";
import { isErrno } from "../base/system-error.ts";

/** Gives a complete file its name, in place of the temporary one; fails with `EEXIST` where something has that name. */
export async function giveName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path); // a rename would take the place of a file that somebody made meanwhile
  } catch (error) {
    if (!isLinkless(error)) throw error;
    await replaceOurOwn(temporary, path);
  }
  await rm(temporary, { force: true });
}

/** FAT and its kin have no hard links: there the name is taken by an empty file first. */
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
