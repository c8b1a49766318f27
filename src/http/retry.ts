import { pause } from "../base/abort.ts";
import type { CallContext } from "../base/call-context.ts";
import { Failure, isTemporary } from "./failure.ts";
import type { Deadlines } from "./options.ts";
import type { Throttle } from "./throttle.ts";

export interface RetryOptions {
  readonly retries: number;
  readonly deadlines: Deadlines;
  readonly throttle: Throttle;
}

const longestBackoffMilliseconds = 30_000;

/** Decides after each failure of one undertaking whether to go on, and when. */
export class Perseverance {
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
  #delay({ details }: Failure): number {
    const { backoffMilliseconds } = this.#options.deadlines;
    const longest = Math.min(longestBackoffMilliseconds, backoffMilliseconds * 2 ** this.#failures);
    return details.retryAfterMilliseconds ?? Math.random() * longest;
  }
}

/** Attempts something until it succeeds, fails for good, or has failed too often. */
export async function persistently<T>(perseverance: Perseverance, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (problem) {
      await perseverance.next(problem);
    }
  }
}

function exhausted(problem: Failure, retries: number): Failure {
  if (retries === 0) return problem;
  const details = { ...problem.details, temporary: false };
  return new Failure(problem.code, `${problem.message} (${retries + 1} attempts)`, details);
}

function refusedUntil(problem: Failure, refusal: Failure): Failure {
  const details = { ...problem.details, ...refusal.details, temporary: false };
  return new Failure(problem.code, `${problem.message}; ${refusal.message}`, details);
}
