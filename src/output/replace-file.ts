import { rename, rm, writeFile } from "node:fs/promises";

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
