import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { output } from "../test/support/command.ts";
import type { Scratch } from "../test/support/scratch.ts";

/** A kind of file system to unpack to. */
export interface Place {
  readonly name: string;
  /** An empty directory that nobody has used before, which goes when its scope ends. */
  fresh(): Promise<Scratch>;
}

/** Memory: no disk is measured, and no allocator of inodes. Every Linux has a tmpfs here. */
export const tmpfs = within("/dev/shm", "tmpfs");

/** Some directory, whatever its file system is. */
export function within(parent: string, name: string = parent): Place {
  return {
    name,

    async fresh() {
      const directory = await mkdtemp(join(parent, "oci-unpack-bench-"));
      return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
    },
  };
}

/** Far more than any image of the corpus needs; the file is sparse. */
const diskBytes = 16 * 1024 ** 3;

/**
 * A new ext4 for every run, on a loop device over a sparse file in `backing`.
 *
 * ext4 avoids inodes that were deleted lately: who removes 100,000 files and unpacks as many again on the same file
 * system measures that, by up to 8 times the time.
 */
export function ext4(backing: string): Place {
  return {
    name: "ext4",

    async fresh() {
      const home = await mkdtemp(join(backing, "oci-unpack-ext4-"));
      const disk = join(home, "disk");
      const directory = join(home, "mounted");
      try {
        await makeFileSystem(disk);
        await mkdir(directory);
        // The kernel would initialise inode tables in the background, while a tool is measured.
        await output("mount", ["-o", "loop,noinit_itable", disk, directory]);
      } catch (error) {
        await rm(home, { recursive: true, force: true });
        throw error;
      }
      return {
        directory,
        async [Symbol.asyncDispose]() {
          await output("umount", [directory]);
          await rm(home, { recursive: true, force: true });
        },
      };
    },
  };
}

async function makeFileSystem(disk: string): Promise<void> {
  const file = await open(disk, "wx");
  await file.truncate(diskBytes);
  await file.close();
  await output("mkfs.ext4", ["-q", "-F", disk]);
}
