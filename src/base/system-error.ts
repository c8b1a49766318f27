import { getSystemErrorMap } from "node:util";
import { OciUnpackError } from "./errors.ts";
import { present } from "./present.ts";

/** The name that Node gave an error, such as "ENOENT" or "ERR_TLS_CERT_ALTNAME_INVALID", if it gave one. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Whether a system call failed with one of these errors. */
export function isErrno(error: unknown, ...names: readonly string[]): boolean {
  const code = errorCode(error);
  return code !== undefined && names.includes(code);
}

/** Turns an error of Node's file functions into an `OciUnpackError`. Any other error is returned unchanged. */
export function fileSystemError(error: unknown, attempted: string): unknown {
  const code = errorCode(error);
  if (!(error instanceof Error && code !== undefined && "syscall" in error)) return error;
  const isFull = isErrno(error, "ENOSPC", "EDQUOT");
  const details = { details: { errno: code }, ...present({ cause: error, hint: errnoHint(code) }) };
  return new OciUnpackError(isFull ? "NO_SPACE" : "FILE_SYSTEM", `cannot ${attempted}: ${meaningOf(error)}`, details);
}

/**
 * Leaves out the system call and the path, which may be a temporary file's: the message already says what was
 * attempted.
 */
function meaningOf(error: Error & { readonly syscall: unknown }): string {
  const errno = "errno" in error && typeof error.errno === "number" ? error.errno : 0;
  const [name, meaning] = getSystemErrorMap().get(errno) ?? [];
  // Only the system call tells which program could not be started.
  return meaning === undefined || String(error.syscall).startsWith("spawn") ? error.message : `${meaning} (${name})`;
}

/** What to do about an error of the operating system, by the error's name, if something usually helps. */
function errnoHint(errno: string): string | undefined {
  return machineHint(errno) ?? (Object.hasOwn(pathHints, errno) ? pathHints[errno] : undefined);
}

/**
 * What to do about an error of the operating system when the image chose the path, so that the user cannot change it.
 */
export function machineHint(errno: string): string | undefined {
  return Object.hasOwn(machineHints, errno) ? machineHints[errno] : undefined;
}

/** What this process, or the whole machine, may have no more of, in words for people. */
interface Shortage {
  readonly found: string;
  readonly hint: string;
}

/** What is short, files or memory, where something failed with that error. */
export function shortageOf(errno: string | undefined): Shortage | undefined {
  const found = errno === undefined || !Object.hasOwn(shortages, errno) ? undefined : shortages[errno];
  const hint = machineHint(errno ?? "");
  return found === undefined || hint === undefined ? undefined : { found: `${found} (${errno})`, hint };
}

const shortages: Readonly<Record<string, string>> = {
  EMFILE: "this process may have no more open files",
  ENFILE: "this machine may have no more open files",
  ENOMEM: "there is no more memory",
};

/** The error where something could not be done because files or memory are short. */
export function outOfResources(
  cause: unknown,
  attempted: string,
  errno = errorCode(cause),
): OciUnpackError | undefined {
  const shortage = shortageOf(errno);
  return shortage && shortageError(shortage, attempted, cause, errno);
}

/** The same where a process or a thread could not be started: with EAGAIN these are short as well. */
export function cannotStart(cause: unknown, attempted: string, errno = errorCode(cause)): OciUnpackError | undefined {
  if (errno !== "EAGAIN") return outOfResources(cause, attempted, errno);
  const hint = "allow more processes (ulimit -u, or the control group's pids.max), or end some";
  return shortageError(
    { found: `the system has no more processes for this user (${errno})`, hint },
    attempted,
    cause,
    errno,
  );
}

function shortageError({ found, hint }: Shortage, attempted: string, cause: unknown, errno = ""): OciUnpackError {
  return new OciUnpackError("OUT_OF_RESOURCES", `cannot ${attempted}: ${found}`, { hint, details: { errno }, cause });
}

const machineHints: Readonly<Record<string, string>> = {
  ENOSPC: "make room, for bytes or for files (df -i), or choose another file system",
  EDQUOT: "make room within the quota, or choose another file system",
  EROFS: "choose a file system that can be written to",
  EMFILE: "allow more open files: ulimit -n",
  ENFILE: "close programs: the whole machine has too many files open",
  ENOMEM: "allow more memory (ulimit -v, or the control group's memory.max), or end other programs",
  EFBIG: "allow larger files: ulimit -f, or another file system",
  EPIPE: "let the program that reads the output read to its end",
  EIO: "check the disk: the kernel's log tells more",
};

const pathHints: Readonly<Record<string, string>> = {
  EACCES: "choose a path that you have the rights to, or ask for them",
  EPERM: "choose a path that you have the rights to, or ask for them",
  ENOENT: "check the path: the directory has to exist",
  EEXIST: "choose another path: something else is there",
  ENOTDIR: "check the path: a part of it is not a directory",
  EISDIR: "name a file; this is a directory",
  ELOOP: "check the path: its symbolic links lead in circles",
  ENAMETOOLONG: "choose a shorter name",
};
