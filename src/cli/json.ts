import type { ErrorReport } from "./failure.ts";
import { safeJson } from "./safe-text.ts";
import type { Decision, Trail } from "./trail.ts";

/**
 * A result as `--json` prints it: the fields of what the library gave, on one line, and with `--explain` the decisions.
 *
 * In pieces, because all together they may be longer than a string can be.
 */
export function* resultJson(result: object, trail: Trail): Iterable<string> {
  const fields = Object.entries({ ...result, ...explained(trail) }).filter(([, value]) => value !== undefined);
  yield "{";
  for (const [index, [name, value]] of fields.entries()) {
    yield `${index === 0 ? "" : ","}${safeJson(name)}:`;
    if (Array.isArray(value)) yield* listJson(value);
    else yield safeJson(value);
  }
  yield "}\n";
}

function* listJson(list: readonly unknown[]): Iterable<string> {
  yield "[";
  for (const [index, value] of list.entries()) yield `${index === 0 ? "" : ","}${safeJson(value ?? null)}`;
  yield "]";
}

/** A failure as `--json` prints it: `{"error":{"code":…,"message":…,"hint":…}}`, without `hint` where there is none. */
export function failureJson({ code, message, hint }: ErrorReport, trail: Trail): string {
  return `${safeJson({ error: { code, message, hint }, ...explained(trail) })}\n`;
}

function explained({ decisions }: Trail): { readonly decisions?: readonly Decision[] } {
  return decisions.length === 0 ? {} : { decisions };
}
