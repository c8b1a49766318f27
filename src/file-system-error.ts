import { OciUnpackError } from "./errors.ts";

/** Turns an error of Node's own file functions into one of ours; anything else stays what it is. */
export function fileSystemError(error: unknown, attempted: string): unknown {
  if (!(error instanceof Error && "code" in error && "syscall" in error)) return error;
  const isFull = error.code === "ENOSPC" || error.code === "EDQUOT";
  return new OciUnpackError(isFull ? "NO_SPACE" : "FILE_SYSTEM", `cannot ${attempted}: ${error.message}`, {
    cause: error,
  });
}
