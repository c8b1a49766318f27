import { pause } from "../base/abort.ts";
import { Failure } from "./failure.ts";

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
  refusal(host: string): Failure | undefined {
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

function heldTooLong(host: string, milliseconds: number): Failure {
  const moment = new Date(Date.now() + milliseconds).toISOString().replace(/\.\d{3}Z$/, "Z");
  return new Failure("RATE_LIMITED", `${host} asks to be left alone until ${moment}`, {
    host,
    hint: "wait, or log in where that raises the limit",
  });
}
