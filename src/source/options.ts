import type { EventListener } from "../events.ts";
import type { FetchOptions } from "./source.ts";

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

/** What TLS needs beyond the authorities that this machine trusts. PEM throughout. */
export interface TlsMaterial {
  /** Authorities to trust besides Node's own. */
  readonly ca?: readonly string[];
  /** A client certificate and its key; neither without the other. */
  readonly cert?: string;
  readonly key?: string;
  /** Accepts any certificate whatsoever. Default: false. */
  readonly insecureSkipVerify?: boolean;
}

/** What to use for `host[:port]`, exactly as it stands in the reference or in a mirror's URL. */
export type TlsFor = (host: string, options?: FetchOptions) => Promise<TlsMaterial | undefined>;

/** One place to ask for an image: the registry itself or a mirror of it. */
export interface Endpoint {
  /** Scheme, authority and everything before the repository, without a slash at its end: `https://registry-1.docker.io/v2`. */
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

/** The proxy for a URL (`http://user:password@host:port`), or `undefined` for none. */
export type ProxyFor = (url: URL) => URL | undefined;

/** Which machines the registry may make this process talk to. Checked on the address that is really connected to. */
export interface NetworkPolicy {
  /**
   * Hosts that are trusted like the registry itself: they may lie on private addresses, and credentials may go to a token
   * server there. `host`, `host:port`, `*.suffix`, or a network (`10.0.0.0/8`).
   */
  readonly allowHosts?: readonly string[];
  /** Refuses loopback, private and link-local addresses even for the registry that the user named. Default: false. */
  readonly denyPrivate?: boolean;
}

/** How long each kind of waiting may take. */
export interface Deadlines {
  /** From the first packet to a connection with TLS. Default: 30 s. */
  readonly connectMilliseconds: number;
  /** From a request sent to the last of its response's headers. Default: 60 s. */
  readonly responseMilliseconds: number;
  /** A body that brings no byte for so long is given up, and resumed. Default: 30 s. */
  readonly stallMilliseconds: number;
  /** A body that brings less than 128 KiB while it is waited for so long is given up, and resumed. Default: 5 minutes. */
  readonly progressMilliseconds: number;
  /** A whole manifest, or a token. Default: 120 s. */
  readonly documentMilliseconds: number;
  /** The longest `Retry-After` that is waited for. Default: 120 s. */
  readonly retryAfterMilliseconds: number;
  /** The first pause before a retry is at most so long, each further one up to twice the last, until 30 s. Default: 0.5 s. */
  readonly backoffMilliseconds: number;
}

export const defaultDeadlines: Deadlines = {
  connectMilliseconds: 30_000,
  responseMilliseconds: 60_000,
  stallMilliseconds: 30_000,
  progressMilliseconds: 300_000,
  documentMilliseconds: 120_000,
  retryAfterMilliseconds: 120_000,
  backoffMilliseconds: 500,
};

/** How a registry client behaves. Without options it is anonymous and reads no configuration of this machine. */
export interface RegistryOptions {
  readonly credentials?: Credential | Credentials;
  /** Speaks http to the registry: `true` for any, or for the hosts listed. Loopback addresses and `localhost` do without TLS anyway, unless this is `false`. */
  readonly plainHttp?: boolean | readonly string[];
  /** One for all hosts, of which only the registry and its mirrors see the client's certificate, or one for each. */
  readonly tls?: TlsMaterial | TlsFor;
  /** Authorities (PEM) that count for all hosts, asked for when a certificate comes from none that is known. Default: none. */
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
