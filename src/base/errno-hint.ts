/** What helps against an error of the operating system, by the error's name, where something usually does. */
export function errnoHint(errno: string): string | undefined {
  return machineHint(errno) ?? (Object.hasOwn(pathHints, errno) ? pathHints[errno] : undefined);
}

/** The same, if it is not the path that is at fault: where an image chose the path, nobody can choose another. */
export function machineHint(errno: string): string | undefined {
  return Object.hasOwn(machineHints, errno) ? machineHints[errno] : undefined;
}

const machineHints: Readonly<Record<string, string>> = {
  ENOSPC: "make room, or choose another file system",
  EDQUOT: "make room within the quota, or choose another file system",
  EROFS: "choose a file system that can be written to",
  EMFILE: "allow more open files: ulimit -n",
  ENFILE: "close programs: the whole machine has too many files open",
  EFBIG: "allow larger files: ulimit -f, or another file system",
  EPIPE: "whoever reads it has gone away: let it read to the end",
  EIO: "check the disk: the kernel's log tells more",
};

const pathHints: Readonly<Record<string, string>> = {
  EACCES: "choose a path that you have the rights to, or have them given",
  EPERM: "choose a path that you have the rights to, or have them given",
  ENOENT: "check the path: the directory has to exist",
  EEXIST: "choose another path: something else is there",
  ENOTDIR: "check the path: a part of it is no directory",
  EISDIR: "name a file; this is a directory",
  ELOOP: "check the path: its symbolic links lead in circles",
  ENAMETOOLONG: "choose a shorter name",
};
