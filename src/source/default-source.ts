import type { Limits } from "../limits.ts";
import { engineSource, isEngineName } from "./engine.ts";
import { type LocalOptions, localSource, splitTransport } from "./local/transport.ts";
import type { RegistryOptions } from "./options.ts";
import { registry } from "./registry.ts";
import type { Source } from "./source.ts";

/** How to talk to a registry, and where else an image may be. */
export interface SourceOptions extends RegistryOptions, LocalOptions {
  /** The Unix socket of the engine that has `docker-daemon:` images. Default: `/var/run/docker.sock`. */
  readonly engineSocket?: string;
}

/**
 * The kind of source that a name asks for: a place on this machine (`oci:`, `oci-archive:`, `docker-archive:`, `dir:`), a
 * running engine (`docker-daemon:`) or a registry.
 *
 * Where names come from strangers, make a `registry()` and give that as the source: it never opens a file.
 */
export function sourceFor(name: string, { engineSocket, standardInput, ...options }: SourceOptions = {}): Source {
  if (isEngineName(name)) return engineSource(engineSocket);
  return splitTransport(name) === undefined
    ? registry(options)
    : localSource(standardInput === undefined ? {} : { standardInput });
}

/** A source, maybe one that is still being made, for as long as somebody needs it. */
export interface OpenedSource extends AsyncDisposable {
  readonly source: Promise<Source>;
}

/** The caller's source, which stays open, or the one that the name asks for, which lives as long as the call. */
export function openSource(
  name: string,
  options: {
    readonly source?: Source | Promise<Source>;
    readonly strict?: boolean;
    readonly limits?: Partial<Limits>;
  },
): OpenedSource {
  const { strict, limits: { manifestBytes } = {} } = options;
  if (options.source !== undefined) {
    const source = Promise.resolve(options.source);
    source.catch(() => {}); // whoever awaits it learns of a failure; until then it is nobody's unhandled rejection
    return { source, [Symbol.asyncDispose]: async () => {} };
  }
  const own = sourceFor(name, {
    ...(strict !== undefined && { strict }),
    ...(manifestBytes !== undefined && { manifestBytes }),
  });
  return { source: Promise.resolve(own), [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() };
}
