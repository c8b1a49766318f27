import type { EventListener, FetchOptions } from "../base/events.ts";
import {
  boolean,
  callback,
  count,
  either,
  headers,
  type Kind,
  type Kinds,
  positive,
  secret,
  shape,
  text,
  texts,
} from "../base/option-checks.ts";
import type { Deadlines, NetworkPolicy, ProxyFor, TlsFor, TlsMaterial } from "../http/options.ts";

/** A secret, and in which way a registry takes it. */
export type Credential = {
  /** Where it was found, for people: `~/.docker/config.json, auths["ghcr.io"]`. Never the secret itself. */
  readonly origin?: string;
} & (
  | { readonly username: string; readonly password: string }
  /** An OAuth2 refresh token: what docker stores as `identitytoken`, or a helper gives to the user `<token>`. */
  | { readonly identityToken: string; readonly username?: string }
  /** A token that the registry itself takes, without an exchange: docker's `registrytoken`. */
  | { readonly registryToken: string }
);

/**
 * Finds what is known for a registry, or nothing.
 *
 * `host` is the registry as references name it (`docker.io`, `ghcr.io`, `127.0.0.1:5000`), or a mirror's `host[:port]`;
 * `path` is the repository there. Asked once for each repository, when a registry wants to know; what it tells through
 * `options.onEvent` reaches the caller whose request needed it.
 */
export type Credentials = (host: string, path: string, options?: FetchOptions) => Promise<Credential | undefined>;

/** One place to ask for an image: the registry itself or a mirror of it. */
export interface Endpoint {
  /**
   * Scheme, authority and everything before the repository, without a slash at its end:
   * `https://registry-1.docker.io/v2`.
   */
  readonly baseUrl: string;
  /** The repository's name there. Default: the one in the reference. */
  readonly repository?: string;
  /** Whether it may say what a tag means. */
  readonly resolvesTags: boolean;
  /** Whether manifests and blobs may be fetched from it by digest. */
  readonly servesDigests: boolean;
  /** The registry that it stands for, sent as `ns`; for mirrors configured the way containerd does. */
  readonly namespace?: string;
  /** Sent to this endpoint and never anywhere else. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Default: what `RegistryOptions.tls` says for its host. */
  readonly tls?: TlsMaterial;
  /** How long connecting may take, where a mirror must fail fast. Default: `Deadlines.connectMilliseconds`. */
  readonly connectMilliseconds?: number;
  /** Where this endpoint was configured, for people. */
  readonly origin?: string;
}

/** What an image's endpoints are asked by. */
export interface EndpointQuery {
  /** The registry as the reference names it: `docker.io`, `127.0.0.1:5000`. */
  readonly host: string;
  readonly repository: string;
  /** As the user named the image; podman's configuration tells images named by tag from those named by digest. */
  readonly tag?: string;
  readonly digest?: string;
}

/**
 * The endpoints of a repository, in the order in which they are tried; `undefined` for just the registry itself.
 *
 * May throw `POLICY_DENIED` where the configuration blocks the repository. The list is complete: the registry itself is
 * asked only if it is in it.
 */
export type EndpointsFor = (query: EndpointQuery, options?: FetchOptions) => Promise<readonly Endpoint[] | undefined>;

/** How a registry client behaves. Without options it is anonymous and reads no configuration of this machine. */
export interface RegistryOptions {
  readonly credentials?: Credential | Credentials;
  /**
   * Speaks http to the registry: `true` for any, or for the hosts listed. Loopback addresses and `localhost` do without
   * TLS anyway, unless this is `false`.
   */
  readonly plainHttp?: boolean | readonly string[];
  /** One for all hosts, of which only the registry and its mirrors see the client's certificate, or one for each. */
  readonly tls?: TlsMaterial | TlsFor;
  /**
   * Authorities (PEM) that count for all hosts, asked for when a certificate comes from none that is known. Default:
   * none.
   */
  readonly furtherAuthorities?: () => Promise<readonly string[]>;
  readonly endpoints?: EndpointsFor;
  /** Rewrites an image's name before it is parsed, as podman's short names are. Default: it stays as it is. */
  readonly expandName?: (name: string) => string;
  readonly proxy?: ProxyFor;
  readonly network?: NetworkPolicy;
  /** Sent to the registry itself and to no other host: docker's `HttpHeaders`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly deadlines?: Partial<Deadlines>;
  /** How often a request that failed for a passing reason is repeated. Default: 5. */
  readonly retries?: number;
  /** Connections to one host at the same time. Default: 16. */
  readonly connections?: number;
  /** The largest manifest or index. Default: `defaultLimits.manifestBytes`. */
  readonly manifestBytes?: number;
  /** Fetches layers from the `urls` of their descriptors where the registry lacks them. Default: false. */
  readonly foreignLayers?: boolean;
  /** Fetches one large blob over several connections. Default: 1, which is off. */
  readonly connectionsPerBlob?: number;
  /** Sends each media type in an `Accept` header of its own to these hosts, for very old Harbor. */
  readonly repeatAccept?: readonly string[];
  /** Makes a `Docker-Content-Digest` that disagrees with the body an error on tag pulls too. Default: false. */
  readonly strict?: boolean;
  readonly userAgent?: string;
  /** Receives the events of all requests, for callers that watch a client rather than an image. */
  readonly onEvent?: EventListener;
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

/** What `RegistryOptions` must be. */
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
