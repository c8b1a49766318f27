import { constants } from "node:fs";
import { failure } from "../layer/refusal.ts";
import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { openAt } from "../linux/syscalls.ts";
import type { ByteString } from "../tar/byte-string.ts";

/** A name in an open directory. `path` is for messages. */
export interface DiskEntry {
  readonly descriptor: number;
  readonly name: ByteString;
  readonly path: ByteString;
}

/** The result of a system call. Throws if it failed. */
export function succeeded<Value>(result: Value | Result, path: ByteString, call: string): Value {
  if (typeof result === "number" && result < 0) throw failure("examine", path, call, result);
  return result as Value;
}

/** Opens a file for reading, without changing its time of access if this user may do that. */
export function openUntouched({ descriptor, name }: DiskEntry, flags: number): Result {
  const wanted = constants.O_RDONLY | constants.O_NOFOLLOW | flags;
  const handle = openAt(descriptor, name, wanted | constants.O_NOATIME);
  return handle === -errnos.EPERM ? openAt(descriptor, name, wanted) : handle;
}
