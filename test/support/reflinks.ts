import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { type Scratch, scratch } from "./scratch.ts";
import { skipUnlessMounting } from "./tools.ts";

/** The `skip` of a test that makes files which share blocks. */
export function skipUnlessReflinks(): false | string {
  return skipUnlessMounting("mkfs.btrfs");
}

/** About the least that btrfs takes. The file that it lies in is sparse. */
const diskBytes = 256 * 1024 * 1024;

/** A file system in which files can share blocks, on a loop device: it goes when its scope ends. */
export async function reflinkingFileSystem(): Promise<Scratch> {
  const place = await scratch();
  const [disk, directory] = [join(place.directory, "disk"), join(place.directory, "mounted")];
  writeFileSync(disk, "");
  await truncate(disk, diskBytes);
  mkdirSync(directory);
  execFileSync("mkfs.btrfs", ["-q", disk], { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
  execFileSync("mount", ["-o", "loop", disk, directory]);
  return {
    directory,
    async [Symbol.asyncDispose]() {
      execFileSync("umount", [directory]);
      await place[Symbol.asyncDispose]();
    },
  };
}
