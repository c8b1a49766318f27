import type { FetchOptions } from "../base/events.ts";

/** Certificates and keys for TLS, besides the authorities that this machine trusts. All are PEM. */
export interface TlsMaterial {
  /** Authorities to trust besides those that Node trusts. */
  readonly ca?: readonly string[];
  /** A client certificate. It needs its `key`. */
  readonly cert?: string;
  readonly key?: string;
  /** Accepts every certificate. Default: false. */
  readonly insecureSkipVerify?: boolean;
}

/** Finds the TLS material for `host[:port]`, as it is written in the reference or in a mirror's URL. */
export type TlsFor = (host: string, options?: FetchOptions) => Promise<TlsMaterial | undefined>;

/** The proxy for a URL (`http://user:password@host:port`), or `undefined` for none. */
export type ProxyFor = (url: URL) => URL | undefined;

/** Which hosts a registry may make this process connect to. The address that is really connected to is checked. */
export interface NetworkPolicy {
  /**
   * Hosts that are trusted like the registry itself: they may have private addresses, and credentials may be sent to a
   * token server there. Each is `host`, `host:port`, `*.suffix`, or a network (`10.0.0.0/8`).
   */
  readonly allowHosts?: readonly string[];
  /** Refuses loopback, private and link-local addresses even for the registry that the user named. Default: false. */
  readonly denyPrivate?: boolean;
}

/** How long each kind of wait may take. */
export interface Deadlines {
  /** From the first packet to a connection with TLS. Default: 30 s. */
  readonly connectMilliseconds: number;
  /** From the request to the last header of its response. Default: 60 s. */
  readonly responseMilliseconds: number;
  /** When no byte of a body has come for this long, it is requested again from there. Default: 30 s. */
  readonly stallMilliseconds: number;
  /**
   * When less than 128 KiB of a body came while it was waited for this long, it is requested again. Default: 5 minutes.
   */
  readonly progressMilliseconds: number;
  /** For a whole manifest, or for a token. Default: 120 s. */
  readonly documentMilliseconds: number;
  /** The longest `Retry-After` that a request waits for. Default: 120 s. */
  readonly retryAfterMilliseconds: number;
  /** The longest pause before the first retry. It doubles for each further one, up to 30 s. Default: 0.5 s. */
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

/** The longest that a timer of Node's waits, 24 days: one for longer would end at once. */
export const longestMilliseconds = 2 ** 31 - 1;

/** The deadlines to use: what the caller says, and the defaults for everything else. */
export function settledDeadlines(deadlines: Partial<Deadlines> = {}): Deadlines {
  const settled: Record<keyof Deadlines, number> = { ...defaultDeadlines };
  for (const name of Object.keys(defaultDeadlines) as (keyof Deadlines)[])
    settled[name] = Math.min(deadlines[name] ?? defaultDeadlines[name], longestMilliseconds);
  return settled;
}
