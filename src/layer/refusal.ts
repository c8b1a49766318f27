import { limitExceeded, OciUnpackError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { errnos, SystemError } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";

/** A path as messages show it. What nobody would read to its end is cut. */
export function quoted(path: ByteString): string {
  return `"${textOf(path.length > 300 ? (`${path.slice(0, 300)}...` as ByteString) : path)}"`;
}

/** An entry that no image should have, whatever its maker meant by it. */
export function refusal(path: ByteString, found: string, hint?: string): OciUnpackError {
  return new OciUnpackError("ENTRY_REFUSED", `cannot unpack ${quoted(path)}: ${found}`, {
    ...(hint !== undefined && { hint }),
    details: { path: textOf(path) },
  });
}

/** What else would be left out or repaired, where the caller wants neither. */
export function strictViolation(path: ByteString, found: string): OciUnpackError {
  const details = { path: textOf(path) };
  return new OciUnpackError("STRICT_VIOLATION", `cannot accept ${quoted(path)} strictly: ${found}`, { details });
}

/** An entry that is larger in some respect than the caller allows. */
export function entryLimitExceeded(
  path: ByteString,
  found: string,
  limit: keyof Limits,
  allowed: number,
): OciUnpackError {
  return limitExceeded(`cannot unpack ${quoted(path)}: ${found}`, limit, { allowed, path: textOf(path) });
}

/** A system call that failed while an entry was unpacked. `attempted` is a verb, `result` the negated errno. */
export function failure(attempted: string, path: ByteString, call: string, result: Result): OciUnpackError {
  const error = new SystemError(`${attempted} ${quoted(path)}`, call, -result, { path: textOf(path) });
  // The one thing about which the kernel complains and the image is to blame.
  return result === -errnos.ENAMETOOLONG
    ? new OciUnpackError("ENTRY_REFUSED", error.message, { details: error.details })
    : error;
}
