import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Not every machine that runs tests lets them mount a file system of user space, so this may be left out even in CI. */
export function skipWithoutCaseless(): false | string {
  const hasFuse = ["/dev/fuse", "/usr/bin/lowntfs-3g"].every((path) => existsSync(path));
  return hasFuse ? false : "no lowntfs-3g, or no /dev/fuse";
}

/** A new file system beneath a directory: NTFS with a driver that can be told to ignore case: the one such file system that Debian can always mount. */
export function mountWithoutCase(parent: string): Mounted {
  return mountNtfs(parent, "ignore_case,permissions");
}

/** The same with one owner and one mode for all files. What is given to a file gets lost without an error. */
export function mountWithoutModes(parent: string): Mounted {
  return mountNtfs(parent, "uid=0,gid=0,umask=0");
}

interface Mounted extends Disposable {
  readonly directory: string;
}

function mountNtfs(parent: string, options: string): Mounted {
  const image = join(parent, "ntfs");
  const directory = join(parent, "mounted");
  let isMounted = true;
  writeFileSync(image, "");
  truncateSync(image, 16 * 1024 * 1024);
  mkdirSync(directory);
  execFileSync("mkntfs", ["-F", "-Q", image], { stdio: "ignore" });
  execFileSync("lowntfs-3g", ["-o", options, image, directory], { stdio: "ignore" });
  return {
    directory,
    [Symbol.dispose]() {
      if (isMounted) execFileSync("umount", [directory]);
      isMounted = false;
    },
  };
}
