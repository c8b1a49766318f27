import { localSource, splitTransport } from "./local/transport.ts";
import type { RegistryOptions } from "./options.ts";
import { registry } from "./registry.ts";
import type { Source } from "./source.ts";

/**
 * The kind of source that a name asks for: a place on this machine (`oci:`, `oci-archive:`, `docker-archive:`, `dir:`) or a
 * registry.
 *
 * Where names come from strangers, make a `registry()` and give that as the source: it never opens a file.
 */
export function sourceFor(name: string, options: RegistryOptions = {}): Source {
  return splitTransport(name) === undefined ? registry(options) : localSource();
}

/** The caller's source, which stays open, or the one that the name asks for, which lives as long as the call. */
export function openSource(
  name: string,
  options: { readonly source?: Source; readonly strict?: boolean },
): AsyncDisposable & { readonly source: Source } {
  const { source, strict } = options;
  if (source !== undefined) return { source, [Symbol.asyncDispose]: async () => {} };
  const own = sourceFor(name, strict === undefined ? {} : { strict });
  return { source: own, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() };
}
