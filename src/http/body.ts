import type { IncomingMessage } from "node:http";
import { Failure } from "./failure.ts";
import { Gathered } from "./gathered.ts";
import { networkFailure } from "./network-failure.ts";
import type { Deadlines } from "./options.ts";
import { Pace } from "./pace.ts";

/** An error's body is worth reading on, so that its connection can be used again, up to this. */
const dismissableBytes = 64 * 1024;
const dismissMilliseconds = 2_000;
/** Such a body comes with its headers; to wait longer would cost more than a handshake. */
const reuseMilliseconds = 50;

type BodyDeadlines = Pick<Deadlines, "stallMilliseconds" | "progressMilliseconds">;

/** The bytes of a response, to be read once. Whoever has one reads it, or dismisses it. */
export class Body implements AsyncIterable<Uint8Array> {
  readonly #incoming: IncomingMessage;
  readonly #host: string;
  readonly #deadlines: BodyDeadlines;
  readonly #signal: AbortSignal | undefined;

  constructor(incoming: IncomingMessage, host: string, deadlines: BodyDeadlines, signal: AbortSignal | undefined) {
    this.#incoming = incoming;
    this.#host = host;
    this.#deadlines = deadlines;
    this.#signal = signal;
    // A connection may break before anyone reads, or after everyone has stopped.
    incoming.on("error", () => {});
  }

  /**
   * Gives the bytes as they arrive, with backpressure; a silence of `stallMilliseconds` ends them with `TIMEOUT`, and so do
   * too few of them in `progressMilliseconds`.
   *
   * The message's own iterator is as fast as its events: 3.0 GB/s against 2.8 GB/s over loopback (Node 20.20, measured).
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    let isWaiting = true;
    const watchdog = setTimeout(() => {
      if (isWaiting) this.#incoming.destroy(this.#stalled());
    }, this.#deadlines.stallMilliseconds);
    const pace = new Pace(this.#deadlines.progressMilliseconds);
    try {
      for await (const chunk of this.#incoming) {
        isWaiting = false; // the silence of whoever takes the bytes is no stall
        if (!pace.arrived(chunk.length)) throw this.#tooSlow(pace.bytes);
        yield chunk;
        pace.waiting();
        isWaiting = true;
        watchdog.refresh();
      }
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw networkFailure(error, this.#host);
    } finally {
      clearTimeout(watchdog);
    }
  }

  /** All bytes, of which there may be `limit`: whatever follows is not read, and is `LIMIT_EXCEEDED`, with that hint. */
  async whole(limit: number, hint?: string): Promise<Buffer> {
    const gathered = new Gathered();
    for await (const chunk of this) {
      if (gathered.size + chunk.length > limit) {
        const details = hint === undefined ? {} : { hint };
        throw new Failure("LIMIT_EXCEEDED", `${this.#host} sends more than ${limit} bytes`, details);
      }
      gathered.add(chunk);
    }
    return gathered.whole();
  }

  /** The first bytes, for a look at what an error says. Never fails. */
  async beginning(limit: number): Promise<Buffer> {
    const gathered = new Gathered();
    try {
      for await (const chunk of this) {
        gathered.add(chunk);
        if (gathered.size >= limit) break;
      }
    } catch {
      // An error whose body cannot be read is told without it.
    }
    return gathered.whole().subarray(0, limit);
  }

  /** Gives the body up. A short one is read in the background, which saves the next request a handshake. */
  dismiss(): void {
    const incoming = this.#incoming;
    const stated = incoming.headers["content-length"];
    if (stated === undefined || Number(stated) > dismissableBytes) {
      incoming.destroy();
      return;
    }
    const timer = setTimeout(() => incoming.destroy(), dismissMilliseconds);
    timer.unref();
    incoming.once("close", () => clearTimeout(timer));
    incoming.resume();
  }

  /** The same, and waits for the end of a short body, but not long: only then has the next request the connection. */
  async dismissed(): Promise<void> {
    const incoming = this.#incoming;
    this.dismiss();
    if (incoming.closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, reuseMilliseconds);
      incoming.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #stalled(): Failure {
    return this.#timeout(`sent nothing for ${this.#deadlines.stallMilliseconds / 1000} s`);
  }

  #tooSlow(bytes: number): Failure {
    return this.#timeout(`sent only ${bytes} bytes in ${this.#deadlines.progressMilliseconds / 1000} s`);
  }

  #timeout(found: string): Failure {
    return new Failure("TIMEOUT", `${this.#host} ${found}`, { temporary: true, host: this.#host });
  }
}
