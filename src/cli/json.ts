import type { Failure } from "./failure.ts";
import { safeJson } from "./safe-text.ts";
import type { Decision, Trail } from "./trail.ts";

/** A result as `--json` prints it: the fields of what the library gave, on one line, and with `--explain` the decisions. */
export function resultJson(result: object, trail: Trail): string {
  return `${safeJson({ ...result, ...explained(trail) })}\n`;
}

/** A failure as `--json` prints it: `{"error":{"code":…,"message":…,"hint":…}}`, without `hint` where there is none. */
export function failureJson({ code, message, hint }: Failure, trail: Trail): string {
  return `${safeJson({ error: { code, message, hint }, ...explained(trail) })}\n`;
}

function explained({ decisions }: Trail): { readonly decisions?: readonly Decision[] } {
  return decisions.length === 0 ? {} : { decisions };
}
