import { checkOptions, type Kinds, path } from "../base/option-checks.ts";
import { type RegistryOptions, registryKinds } from "../registry/options.ts";
import { type LocalOptions, localKinds } from "./local/transport.ts";

/** How to talk to a registry, and where else an image may be. */
export interface SourceOptions extends RegistryOptions, LocalOptions {
  /** The Unix socket of the engine that has `docker-daemon:` images. Default: `/var/run/docker.sock`. */
  readonly engineSocket?: string | URL;
}

/** Of all sources: what one kind has no use for does it no harm. */
const sourceKinds: Kinds<SourceOptions> = { ...registryKinds, ...localKinds, engineSocket: path };

/** Checks the options of any source. Throws `INVALID_OPTION`. */
export function checkSourceOptions(options: SourceOptions): void {
  checkOptions(options, sourceKinds);
}
