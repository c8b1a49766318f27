import { pause } from "./pause.ts";

/** So that all who waited do not come back in the same millisecond. */
const spreadMilliseconds = 250;

/** Hosts that asked to be left alone for a while, each as a whole: eight downloads must not ask eight times. */
export class Throttle {
  readonly #until = new Map<string, number>();

  /** No request goes to `host` for so long. */
  hold(host: string, milliseconds: number): void {
    const until = performance.now() + milliseconds;
    if (until > (this.#until.get(host) ?? 0)) this.#until.set(host, until);
  }

  /** How long requests to `host` have to wait now. */
  remainingMilliseconds(host: string): number {
    return Math.max(0, (this.#until.get(host) ?? 0) - performance.now());
  }

  /** Waits until `host` may be asked again. */
  async turn(host: string, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const remaining = this.remainingMilliseconds(host);
      if (remaining === 0) return;
      await pause(remaining + Math.random() * Math.min(spreadMilliseconds, remaining), signal);
    }
  }
}
