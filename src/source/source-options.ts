import {
  boolean,
  callback,
  checkOptions,
  count,
  either,
  type Kinds,
  object,
  text,
  texts,
  word,
} from "../option-checks.ts";
import type { LocalOptions } from "./local/transport.ts";
import type { Deadlines, NetworkPolicy, RegistryOptions } from "./options.ts";

/** How to talk to a registry, and where else an image may be. */
export interface SourceOptions extends RegistryOptions, LocalOptions {
  /** The Unix socket of the engine that has `docker-daemon:` images. Default: `/var/run/docker.sock`. */
  readonly engineSocket?: string;
}

/** Of all sources: what one kind has no use for does it no harm. */
const sourceKinds: Kinds<SourceOptions> = {
  credentials: either(callback, object),
  plainHttp: either(boolean, texts),
  tls: either(callback, object),
  furtherAuthorities: callback,
  endpoints: callback,
  expandName: callback,
  proxy: callback,
  network: object,
  headers: object,
  deadlines: object,
  retries: count,
  connections: count,
  manifestBytes: count,
  foreignLayers: boolean,
  connectionsPerBlob: count,
  repeatAccept: texts,
  strict: boolean,
  userAgent: text,
  onEvent: callback,
  standardInput: object,
  limits: object,
  sandbox: word("require", "prefer", "off"),
  engineSocket: text,
};

const networkKinds: Kinds<NetworkPolicy> = { allowHosts: texts, denyPrivate: boolean };

const deadlineKinds: Kinds<Deadlines> = {
  connectMilliseconds: count,
  responseMilliseconds: count,
  stallMilliseconds: count,
  progressMilliseconds: count,
  documentMilliseconds: count,
  retryAfterMilliseconds: count,
  backoffMilliseconds: count,
};

/** Checks the options of a source. Throws `INVALID_OPTION`. */
export function checkSourceOptions(options: SourceOptions): void {
  checkOptions(options, sourceKinds);
  checkOptions(options.network ?? {}, networkKinds);
  checkOptions(options.deadlines ?? {}, deadlineKinds);
}
