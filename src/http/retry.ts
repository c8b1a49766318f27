import type { IncomingHttpHeaders } from "node:http";
import { pause } from "../base/abort.ts";
import type { CallContext } from "../base/call-context.ts";
import type { Deadlines } from "./options.ts";
import { isTemporary, RequestFailure } from "./request-failure.ts";

interface RetryOptions {
  readonly retries: number;
  readonly deadlines: Deadlines;
  readonly throttle: Throttle;
}

const longestBackoffMilliseconds = 30_000;

/** Decides after each failed attempt at one thing whether to try again, and when. */
export class Retries {
  readonly #options: RetryOptions;
  readonly #url: string;
  readonly #context: CallContext;
  #failures = 0;

  /** `url` appears in events. */
  constructor(url: string, context: CallContext, options: RetryOptions) {
    this.#url = url;
    this.#context = context;
    this.#options = options;
  }

  /** Says that the last attempt achieved something: failures are counted from 0 again. */
  progressed(): void {
    this.#failures = 0;
  }

  /** Waits until it is time for the next attempt. Throws if there is to be none. */
  async next(problem: unknown): Promise<void> {
    this.#context.signal?.throwIfAborted();
    if (!isTemporary(problem)) throw problem;
    const { retries, throttle } = this.#options;
    if (this.#failures >= retries) throw exhausted(problem, retries);
    const { host, status } = problem.details;
    const refusal = host === undefined ? undefined : throttle.refusal(host);
    if (refusal !== undefined) throw refusedUntil(problem, refusal);
    const delayMilliseconds = this.#delay(problem);
    this.#failures++;
    if (host !== undefined && (status === 429 || status === 503)) throttle.hold(host, delayMilliseconds);
    const attempt = this.#failures;
    this.#context.tell({ type: "retrying", url: this.#url, attempt, delayMilliseconds, reason: problem.message });
    await pause(delayMilliseconds, this.#context.signal);
  }

  /** The delay that the server asks for, or an exponential backoff with full jitter. */
  #delay({ details }: RequestFailure): number {
    const { backoffMilliseconds } = this.#options.deadlines;
    const longest = Math.min(longestBackoffMilliseconds, backoffMilliseconds * 2 ** this.#failures);
    return Math.round(details.retryAfterMilliseconds ?? Math.random() * longest);
  }
}

/** Calls `attempt` until it succeeds, fails for a reason that will not pass, or has failed too often. */
export async function withRetries<T>(retries: Retries, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (problem) {
      await retries.next(problem);
    }
  }
}

function exhausted(problem: RequestFailure, retries: number): RequestFailure {
  if (retries === 0) return problem;
  const details = { ...problem.details, temporary: false };
  return new RequestFailure(problem.code, `${problem.message} (${retries + 1} attempts)`, details);
}

function refusedUntil(problem: RequestFailure, refusal: RequestFailure): RequestFailure {
  const details = { ...problem.details, ...refusal.details, temporary: false };
  return new RequestFailure(problem.code, `${problem.message}; ${refusal.message}`, details);
}

/** Spreads the requests that waited for a host, so that they are not all sent in the same millisecond. */
const spreadMilliseconds = 250;

/**
 * Remembers which hosts asked for a pause. It holds for all requests to a host: eight downloads must not ask eight
 * times.
 */
export class Throttle {
  readonly #until = new Map<string, number>();
  readonly #longestMilliseconds: number;

  /** No request waits for a host longer than this. */
  constructor(longestMilliseconds: number) {
    this.#longestMilliseconds = longestMilliseconds;
  }

  /** Holds all requests to `host` back for that long. */
  hold(host: string, milliseconds: number): void {
    const until = performance.now() + milliseconds;
    if (until > (this.#until.get(host) ?? 0)) this.#until.set(host, until);
  }

  /** For how much longer no request may go to `host`. */
  remainingMilliseconds(host: string): number {
    return Math.max(0, (this.#until.get(host) ?? 0) - performance.now());
  }

  /** The error if `host` cannot be asked now and waiting would take too long. */
  refusal(host: string): RequestFailure | undefined {
    const remaining = this.remainingMilliseconds(host);
    return remaining > this.#longestMilliseconds ? heldTooLong(host, remaining) : undefined;
  }

  /** Waits until `host` may be asked again. */
  async turn(host: string, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const refusal = this.refusal(host);
      if (refusal !== undefined) throw refusal;
      const remaining = this.remainingMilliseconds(host);
      if (remaining === 0) return;
      await pause(remaining + Math.random() * Math.min(spreadMilliseconds, remaining), signal);
    }
  }
}

function heldTooLong(host: string, milliseconds: number): RequestFailure {
  const moment = new Date(Date.now() + milliseconds).toISOString().replace(/\.\d{3}Z$/, "Z");
  return new RequestFailure("RATE_LIMITED", `${host} asks clients to wait until ${moment}`, {
    host,
    hint: "wait, or log in if that raises the limit",
  });
}

/** A number of seconds from here on is a time since 1970, not a duration. */
const firstEpochSecond = 1_000_000_000;

/**
 * How long a server asks its clients to wait: `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), or else
 * `RateLimit-Reset`, which is in seconds from now for some servers and in seconds since 1970 for others.
 */
export function retryAfterMilliseconds(headers: IncomingHttpHeaders, now = Date.now()): number | undefined {
  const retryAfter = headers["retry-after"]?.trim();
  if (retryAfter !== undefined) return secondsFrom(retryAfter) ?? untilDate(retryAfter, now);
  const reset = headers["ratelimit-reset"] ?? headers["x-ratelimit-reset"];
  const milliseconds = typeof reset === "string" ? secondsFrom(reset.trim()) : undefined;
  if (milliseconds === undefined || milliseconds < firstEpochSecond * 1000) return milliseconds;
  return Math.max(0, milliseconds - now);
}

function secondsFrom(text: string): number | undefined {
  return /^\d{1,12}(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : undefined;
}

function untilDate(text: string, now: number): number | undefined {
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? undefined : Math.max(0, moment - now);
}
