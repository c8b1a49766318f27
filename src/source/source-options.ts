import {
  boolean,
  callback,
  checkOptions,
  count,
  either,
  headers,
  type Kind,
  type Kinds,
  path,
  positive,
  secret,
  shape,
  text,
  texts,
} from "../option-checks.ts";
import { type LocalOptions, localKinds } from "./local/transport.ts";
import type { Deadlines, NetworkPolicy, RegistryOptions, TlsMaterial } from "./options.ts";

/** How to talk to a registry, and where else an image may be. */
export interface SourceOptions extends RegistryOptions, LocalOptions {
  /** The Unix socket of the engine that has `docker-daemon:` images. Default: `/var/run/docker.sock`. */
  readonly engineSocket?: string | URL;
}

const credential: Kind = shape<Record<string, Kind>>({
  origin: text,
  username: text,
  password: secret(text),
  identityToken: secret(text),
  registryToken: secret(text),
});

const tls: Kind = shape<TlsMaterial>({
  ca: secret(texts),
  cert: secret(text),
  key: secret(text),
  insecureSkipVerify: boolean,
});

const deadlines: Kind = shape<Deadlines>({
  connectMilliseconds: count,
  responseMilliseconds: count,
  stallMilliseconds: count,
  progressMilliseconds: count,
  documentMilliseconds: count,
  retryAfterMilliseconds: count,
  backoffMilliseconds: count,
});

export const registryKinds: Kinds<RegistryOptions> = {
  credentials: secret(either(callback, credential)),
  plainHttp: either(boolean, texts),
  tls: secret(either(callback, tls)),
  furtherAuthorities: callback,
  endpoints: callback,
  expandName: callback,
  proxy: callback,
  network: shape<NetworkPolicy>({ allowHosts: texts, denyPrivate: boolean }),
  headers,
  deadlines,
  retries: count,
  connections: positive,
  manifestBytes: count,
  foreignLayers: boolean,
  connectionsPerBlob: positive,
  repeatAccept: texts,
  strict: boolean,
  userAgent: text,
  onEvent: callback,
};

/** Of all sources: what one kind has no use for does it no harm. */
const sourceKinds: Kinds<SourceOptions> = { ...registryKinds, ...localKinds, engineSocket: path };

/** Checks the options of any source. Throws `INVALID_OPTION`. */
export function checkSourceOptions(options: SourceOptions): void {
  checkOptions(options, sourceKinds);
}
