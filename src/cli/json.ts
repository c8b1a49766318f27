import type { UnpackResult } from "../index.ts";
import type { Failure } from "./failure.ts";
import { safeJson } from "./safe-text.ts";

/** A result as `--json` prints it: the fields of `UnpackResult`, on one line. */
export function resultJson(result: UnpackResult): string {
  return `${safeJson(result)}\n`;
}

/** A failure as `--json` prints it: `{"error":{"code":…,"message":…,"hint":…}}`, without `hint` where there is none. */
export function failureJson({ code, message, hint }: Failure): string {
  return `${safeJson({ error: { code, message, hint } })}\n`;
}
