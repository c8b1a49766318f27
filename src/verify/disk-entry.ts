import { constants } from "node:fs";
import { failure } from "../layer/refusal.ts";
import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { openAt } from "../linux/syscalls.ts";
import type { ByteString } from "../tar/byte-string.ts";

/** Where something is: a name in an open directory. `path` is for people. */
export interface DiskEntry {
  readonly descriptor: number;
  readonly name: ByteString;
  readonly path: ByteString;
}

/** What a system call gave, which must not have failed. */
export function succeeded<Value>(result: Value | Result, path: ByteString, call: string): Value {
  if (typeof result === "number" && result < 0) throw failure("examine", path, call, result);
  return result as Value;
}

/** Opens what stands there for reading; where this user may, without leaving a trace in its time of access. */
export function openUntouched({ descriptor, name }: DiskEntry, flags: number): Result {
  const wanted = constants.O_RDONLY | constants.O_NOFOLLOW | flags;
  const handle = openAt(descriptor, name, wanted | constants.O_NOATIME);
  return handle === -errnos.EPERM ? openAt(descriptor, name, wanted) : handle;
}
