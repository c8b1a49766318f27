import { OciUnpackError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";

/** The bytes at an offset are no archive. Whoever knows the layer adds its name. */
export function invalidArchive(attempted: string, offset: number, found: string): OciUnpackError {
  return new OciUnpackError("INVALID_ARCHIVE", `cannot ${attempted} at offset ${offset}: ${found}`);
}

/** The archive at an offset is well-formed, but larger in some respect than the caller allows. */
export function limitExceeded(attempted: string, offset: number, found: string, limit: keyof Limits, allowed: number) {
  return new OciUnpackError("LIMIT_EXCEEDED", `cannot ${attempted} at offset ${offset}: ${found}`, {
    hint: `raise the limit ${limit}, now ${allowed}, if you trust the image`,
  });
}
