import { getSystemErrorMap } from "node:util";
import { errnoHint } from "./errno-hint.ts";
import { errorCode, isErrno } from "./error-code.ts";
import { OciUnpackError } from "./errors.ts";

/** Turns an error of Node's own file functions into one of ours; anything else stays what it is. */
export function fileSystemError(error: unknown, attempted: string): unknown {
  const code = errorCode(error);
  if (!(error instanceof Error && code !== undefined && "syscall" in error)) return error;
  const isFull = isErrno(error, "ENOSPC", "EDQUOT");
  const hint = errnoHint(code);
  return new OciUnpackError(isFull ? "NO_SPACE" : "FILE_SYSTEM", `cannot ${attempted}: ${meaningOf(error)}`, {
    cause: error,
    ...(hint !== undefined && { hint }),
  });
}

/** Without the system call and the path, which may be those of a temporary file: what was attempted says enough. */
function meaningOf(error: Error & { readonly syscall: unknown }): string {
  const errno = "errno" in error && typeof error.errno === "number" ? error.errno : 0;
  const [name, meaning] = getSystemErrorMap().get(errno) ?? [];
  // Which program could not be started is told by the system call alone.
  return meaning === undefined || String(error.syscall).startsWith("spawn") ? error.message : `${meaning} (${name})`;
}
