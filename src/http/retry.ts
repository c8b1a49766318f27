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

/** Decides after each failure of one undertaking whether to go on, and when. */
export class Retries {
  readonly #options: RetryOptions;
  readonly #url: string;
  readonly #context: CallContext;
  #failures = 0;

  /** `url` is what events show. */
  constructor(url: string, context: CallContext, options: RetryOptions) {
    this.#url = url;
    this.#context = context;
    this.#options = options;
  }

  /** Enough has come of the last attempt for the count to begin again. */
  progressed(): void {
    this.#failures = 0;
  }

  /** Waits until it is time for the next attempt; throws where there is to be none. */
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

  /** What the server asks for, else an exponential backoff with full jitter. */
  #delay({ details }: RequestFailure): number {
    const { backoffMilliseconds } = this.#options.deadlines;
    const longest = Math.min(longestBackoffMilliseconds, backoffMilliseconds * 2 ** this.#failures);
    return details.retryAfterMilliseconds ?? Math.random() * longest;
  }
}

/** Attempts something until it succeeds, fails for good, or has failed too often. */
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

/** So that all who waited do not come back in the same millisecond. */
const spreadMilliseconds = 250;

/** Hosts that asked to be left alone for a while, each as a whole: eight downloads must not ask eight times. */
export class Throttle {
  readonly #until = new Map<string, number>();
  readonly #longestMilliseconds: number;

  /** Nobody waits longer than this for a host. */
  constructor(longestMilliseconds: number) {
    this.#longestMilliseconds = longestMilliseconds;
  }

  /** No request goes to `host` for so long. */
  hold(host: string, milliseconds: number): void {
    const until = performance.now() + milliseconds;
    if (until > (this.#until.get(host) ?? 0)) this.#until.set(host, until);
  }

  /** How long `host` is to be left alone. */
  remainingMilliseconds(host: string): number {
    return Math.max(0, (this.#until.get(host) ?? 0) - performance.now());
  }

  /** Why `host` cannot be asked now, and not soon either. */
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
  return new RequestFailure("RATE_LIMITED", `${host} asks to be left alone until ${moment}`, {
    host,
    hint: "wait, or log in where that raises the limit",
  });
}

/** Above this a number of seconds can only be a moment since 1970. */
const firstEpochSecond = 1_000_000_000;

/**
 * How long a server asks to be left alone: `Retry-After` as seconds or as a date (RFC 9110, section 10.2.3), else
 * `RateLimit-Reset`, which some write as seconds from now and some as seconds since 1970.
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
