import { registry } from "./registry.ts";
import type { Source } from "./source.ts";

/** The caller's source, which stays open, or an anonymous registry client that lives as long as the call. */
export function openSource(options: { readonly source?: Source; readonly strict?: boolean }): AsyncDisposable & { source: Source } {
  const { source } = options;
  if (source !== undefined) return { source, [Symbol.asyncDispose]: async () => {} };
  const own = registry({ ...(options.strict !== undefined && { strict: options.strict }) });
  return { source: own, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() };
}
