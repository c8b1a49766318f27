import type { EventListener, FetchOptions } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import {
  boolean,
  callback,
  count,
  either,
  headers,
  type Kind,
  type Kinds,
  limitsKind,
  positive,
  secret,
  shape,
  text,
  texts,
} from "../base/option-checks.ts";
import type { Deadlines, NetworkPolicy, ProxyFor, TlsFor, TlsMaterial } from "../http/options.ts";

/** A secret in one of the forms that registries accept. */
export type Credential = {
  /** Where it was found, for people: `~/.docker/config.json, auths["ghcr.io"]`. It must not contain the secret. */
  readonly origin?: string;
} & (
  | { readonly username: string; readonly password: string }
  /** An OAuth2 refresh token: docker's `identitytoken`, or what a helper returns for the user `<token>`. */
  | { readonly identityToken: string; readonly username?: string }
  /** A token for the registry itself, which is not exchanged for another one: docker's `registrytoken`. */
  | { readonly registryToken: string }
);

/**
 * Finds the credential for a registry, if there is one.
 *
 * `host` is the registry as references name it (`docker.io`, `ghcr.io`, `127.0.0.1:5000`), or a mirror's `host[:port]`;
 * `path` is the repository there. It is called once for each repository, when a registry asks for a login. Events that
 * it sends to `options.onEvent` reach the listener of that request.
 */
export type Credentials = (host: string, path: string, options?: FetchOptions) => Promise<Credential | undefined>;

/** A host that can be asked for an image: the registry itself or a mirror of it. */
export interface Endpoint {
  /** The URL up to the repository, without a slash at its end: `https://registry-1.docker.io/v2`. */
  readonly baseUrl: string;
  /** The repository's name there. Default: the one in the reference. */
  readonly repository?: string;
  /** Whether it may say which digest a tag has. */
  readonly resolvesTags: boolean;
  /** Whether manifests and blobs may be fetched from it by digest. */
  readonly servesDigests: boolean;
  /** The registry that it mirrors, which is sent as `ns`; for mirrors that are configured for containerd. */
  readonly namespace?: string;
  /** Headers that are sent to this endpoint and to no other host. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Default: what `RegistryOptions.tls` says for its host. */
  readonly tls?: TlsMaterial;
  /** How long connecting may take. Default: `Deadlines.connectMilliseconds`. */
  readonly connectMilliseconds?: number;
  /** Where this endpoint was configured, for people. */
  readonly origin?: string;
}

/** The image whose endpoints are wanted. */
export interface EndpointQuery {
  /** The registry as the reference names it: `docker.io`, `127.0.0.1:5000`. */
  readonly host: string;
  readonly repository: string;
  /** The tag in the image's name. podman's configuration may name different mirrors for tags and for digests. */
  readonly tag?: string;
  readonly digest?: string;
}

/**
 * Finds the endpoints of a repository, in the order in which they are tried; `undefined` means only the registry
 * itself.
 *
 * It throws `POLICY_DENIED` if the configuration blocks the repository. The registry itself is only asked if it is in
 * the list.
 */
export type EndpointsFor = (query: EndpointQuery, options?: FetchOptions) => Promise<readonly Endpoint[] | undefined>;

/** How a registry client behaves. Without options it is anonymous and reads no configuration of this machine. */
export interface RegistryOptions {
  /** What to log in with, or a function that finds it for each registry. Default: nothing. */
  readonly credentials?: Credential | Credentials;
  /**
   * Uses http instead of https: `true` for every registry, or for the hosts in the list. Loopback addresses and
   * `localhost` are always used with http, unless this is `false`.
   */
  readonly plainHttp?: boolean | readonly string[];
  /**
   * TLS material for all hosts, or a function that finds it for each. Only the registry and its mirrors see the client
   * certificate.
   */
  readonly tls?: TlsMaterial | TlsFor;
  /**
   * Further authorities (PEM) for all hosts. It is called when a certificate is from an unknown authority. Default:
   * none.
   */
  readonly furtherAuthorities?: () => Promise<readonly string[]>;
  /** Where else images are: mirrors and caches. Default: only the registry itself. */
  readonly endpoints?: EndpointsFor;
  /** Changes an image's name before it is parsed, for example for podman's short names. Default: it stays as it is. */
  readonly expandName?: (name: string) => string;
  /** Through which proxy each URL is asked for. Default: none. */
  readonly proxy?: ProxyFor;
  /** Which hosts the registry may lead to. Default: none whose address is nearer than its own. */
  readonly network?: NetworkPolicy;
  /** Headers that are sent to the registry itself and to no other host: docker's `HttpHeaders`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Overrides single deadlines. */
  readonly deadlines?: Partial<Deadlines>;
  /** How often a request is repeated whose failure may pass. Default: 5. */
  readonly retries?: number;
  /** The most connections to one host at the same time. Default: 16. */
  readonly connections?: number;
  /** Overrides single limits, which hold for manifests, indexes and lists of referrers. */
  readonly limits?: Partial<Limits>;
  /** Fetches layers that the registry does not have from the `urls` in their descriptors. Default: false. */
  readonly foreignLayers?: boolean;
  /** The most connections over which one large blob is fetched. Default: 1. */
  readonly connectionsPerBlob?: number;
  /** Hosts to which each media type is sent in an `Accept` header of its own, for very old versions of Harbor. */
  readonly repeatAccept?: readonly string[];
  /** Whether a wrong `Docker-Content-Digest` is an error also if the image is named by a tag. Default: false. */
  readonly strict?: boolean;
  /** What is sent as `User-Agent`. Default: the name and the version of this package. */
  readonly userAgent?: string;
  /** Receives the events of all requests of this client. */
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

/** The kinds of `RegistryOptions`. */
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
  limits: limitsKind,
  foreignLayers: boolean,
  connectionsPerBlob: positive,
  repeatAccept: texts,
  strict: boolean,
  userAgent: text,
  onEvent: callback,
};
