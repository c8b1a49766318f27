import { OciUnpackError } from "../base/errors.ts";
import { quoted } from "../layer/findings.ts";
import { errnos, SystemError } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";

/** A system call that failed while an entry was unpacked. `attempted` is a verb, `result` the negated errno. */
export function failure(attempted: string, path: ByteString, call: string, result: Result): OciUnpackError {
  const error = new SystemError(`${attempted} ${quoted(path)}`, call, -result, { path: textOf(path) });
  if (result !== -errnos.ENAMETOOLONG) return error;
  // What is too long for Linux was refused before.
  const hint = "this file system takes only shorter names, or targets of symlinks: use another one";
  return new OciUnpackError(error.code, error.message, { hint, details: error.details });
}
