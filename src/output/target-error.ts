import { OciUnpackError } from "../base/errors.ts";
import { fileSystemError } from "../base/system-error.ts";

/** Why the place that was to receive an image cannot: what the file system says, and what to name instead. */
export function targetError(error: unknown, attempted: string, hint: string): unknown {
  const ours = fileSystemError(error, attempted);
  if (!(ours instanceof OciUnpackError) || ours.code !== "FILE_SYSTEM") return ours;
  return new OciUnpackError("TARGET_UNUSABLE", ours.message, {
    hint: ours.hint ?? hint,
    details: ours.details,
    cause: error,
  });
}
