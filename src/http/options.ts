import type { FetchOptions } from "../base/events.ts";

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
