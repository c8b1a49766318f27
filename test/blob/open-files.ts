import { readdir, readlink, stat } from "node:fs/promises";

/** The sizes of the files below a directory that this process has open, whether they have a name or not. */
export async function openFilesIn(directory: string): Promise<readonly number[]> {
  const sizes: number[] = [];
  for (const descriptor of await readdir("/proc/self/fd")) {
    const file = `/proc/self/fd/${descriptor}`;
    const target = await readlink(file).catch(() => "");
    if (target.startsWith(directory)) sizes.push((await stat(file)).size);
  }
  return sizes;
}
