import { OciUnpackError } from "../base/errors.ts";
import type { WarningCode } from "../base/events.ts";
import { type ByteString, textOf } from "./byte-string.ts";

/** Told of each lenient repair. One that throws makes it an error. */
export type Repair = (code: WarningCode, message: string, path?: ByteString) => void;

/** What strictness makes of a repair. */
export function refuseRepair(_code: WarningCode, message: string, path?: ByteString): never {
  const subject = path === undefined ? "the archive" : `"${textOf(path)}"`;
  throw new OciUnpackError("STRICT_VIOLATION", `cannot accept ${subject} strictly: ${message}`);
}
