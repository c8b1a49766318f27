import type { Limits } from "../base/limits.ts";
import { check, checkOptions, type Kinds, path, text } from "../base/option-checks.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import type { Source } from "../blob/image-source.ts";
import { type RegistryOptions, registryKinds } from "../registry/options.ts";
import { registrySource } from "../registry/registry.ts";
import { engineSource, isEngineName } from "./engine.ts";
import { type LocalOptions, localKinds, localSource, splitTransport } from "./local/local-source.ts";

/**
 * The kind of source that a name asks for: a place on this machine (`oci:`, `oci-archive:`, `docker-archive:`, `dir:`),
 * a running engine (`docker-daemon:`) or a registry.
 *
 * If names come from strangers, use `registrySource()` as the source: it never opens a file.
 */
export function sourceFor(name: string, options: SourceOptions = {}): Source {
  check("name", name, text);
  const { standardInput, limits, sandbox, engineSocket, ...forRegistry } = checkOptions(options, sourceKinds);
  const reading = present({ limits, sandbox });
  switch (kindOfSource(name)) {
    case "engine":
      return engineSource(engineSocket, reading);
    case "local":
      return localSource(present({ ...reading, standardInput }));
    case "registry":
      return registrySource(present({ ...forRegistry, limits }));
  }
}

/** Where the image of a name is: in files on this machine, in its engine, or in a registry. */
export function kindOfSource(name: string): "local" | "engine" | "registry" {
  if (isEngineName(name)) return "engine";
  return splitTransport(name) === undefined ? "registry" : "local";
}

/** A source, maybe one that is still being made, until it is disposed of. */
export interface OpenedSource extends AsyncDisposable {
  readonly source: Promise<Source>;
}

/** The options of a call that concern its source. */
interface SourceWishes {
  readonly source?: Source | Promise<Source>;
  readonly strict?: boolean;
  readonly limits?: Partial<Limits>;
  readonly sandbox?: SandboxPolicy;
}

/** The caller's source, which stays open, or a new one for the name, which is closed after the call. */
export function openSource(name: string, options: SourceWishes): OpenedSource {
  if (options.source !== undefined) {
    const source = Promise.resolve(options.source);
    source.catch(() => {}); // the error is thrown where it is awaited; until then it must not be an unhandled rejection
    return { source, [Symbol.asyncDispose]: async () => {} };
  }
  const own = ownSource(name, options);
  return { source: Promise.resolve(own), [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() };
}

/** The source that a name asks for, as a call wants it. */
export function ownSource(name: string, { strict, limits, sandbox }: SourceWishes): Source {
  return sourceFor(name, present({ strict, limits, sandbox }));
}

/** The options of all kinds of sources. */
export interface SourceOptions extends RegistryOptions, LocalOptions {
  /** The Unix socket of the engine that has `docker-daemon:` images. Default: `/var/run/docker.sock`. */
  readonly engineSocket?: string | URL;
}

/** The kinds of all options. Options that one kind of source does not use are ignored. */
const sourceKinds: Kinds<SourceOptions> = { ...registryKinds, ...localKinds, engineSocket: path };
