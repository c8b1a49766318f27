import type { IncomingMessage } from "node:http";
import { networkFailure } from "./network-failure.ts";
import type { Deadlines } from "./options.ts";
import { RequestFailure } from "./request-failure.ts";

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
    const gathered = new ByteCollector();
    for await (const chunk of this) {
      if (gathered.size + chunk.length > limit) {
        const details = hint === undefined ? {} : { hint };
        throw new RequestFailure("LIMIT_EXCEEDED", `${this.#host} sends more than ${limit} bytes`, details);
      }
      gathered.add(chunk);
    }
    return gathered.whole();
  }

  /** The first bytes, for a look at what an error says. Never fails. */
  async beginning(limit: number): Promise<Buffer> {
    const gathered = new ByteCollector();
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

  #stalled(): RequestFailure {
    return this.#timeout(`sent nothing for ${this.#deadlines.stallMilliseconds / 1000} s`);
  }

  #tooSlow(bytes: number): RequestFailure {
    return this.#timeout(`sent only ${bytes} bytes in ${this.#deadlines.progressMilliseconds / 1000} s`);
  }

  #timeout(found: string): RequestFailure {
    return new RequestFailure("TIMEOUT", `${this.#host} ${found}`, { temporary: true, host: this.#host });
  }
}

/** Pieces below this are copied together. */
const smallBytes = 1024;
const blockBytes = 16 * 1024;

/**
 * Bytes that are held until all are there. A server may send them one by one, and a piece of its own takes some hundreds of
 * bytes besides.
 */
export class ByteCollector {
  readonly #pieces: Uint8Array[] = [];
  /** What small pieces are copied into, and how much of it is used and not among the pieces yet. */
  #block: Uint8Array = new Uint8Array(0);
  #usedBytes = 0;
  #size = 0;

  add(piece: Uint8Array): void {
    this.#size += piece.length;
    if (piece.length >= smallBytes) {
      this.#seal();
      this.#pieces.push(piece);
      return;
    }
    if (piece.length > this.#block.length - this.#usedBytes) {
      this.#seal();
      this.#block = Buffer.allocUnsafe(blockBytes);
    }
    this.#block.set(piece, this.#usedBytes);
    this.#usedBytes += piece.length;
  }

  get size(): number {
    return this.#size;
  }

  /** All of it, in pieces that are worth it. */
  pieces(): readonly Uint8Array[] {
    this.#seal();
    return this.#pieces;
  }

  whole(): Buffer {
    return Buffer.concat(this.pieces(), this.#size);
  }

  #seal(): void {
    if (this.#usedBytes === 0) return;
    this.#pieces.push(this.#block.subarray(0, this.#usedBytes));
    this.#block = this.#block.subarray(this.#usedBytes);
    this.#usedBytes = 0;
  }
}

/** How much a body has to bring within `Deadlines.progressMilliseconds`. */
export const progressBytes = 128 * 1024;

/**
 * Judges whether a body brings enough while somebody waits for it: 128 KiB in five minutes is less than any line in use
 * brings, and more than who only wants to keep a connection from being silent.
 *
 * Only the time spent waiting for bytes counts: whoever takes them slowly does not make a body slow.
 */
class Pace {
  readonly #milliseconds: number;
  #bytes = 0;
  #waitedMilliseconds = 0;
  #since = performance.now();

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** Says that somebody begins to wait for more. */
  waiting(): void {
    this.#since = performance.now();
  }

  /** Says that bytes came; false where they are too few for the time that was waited. */
  arrived(bytes: number): boolean {
    this.#bytes += bytes;
    this.#waitedMilliseconds += performance.now() - this.#since;
    if (this.#bytes < progressBytes) return this.#waitedMilliseconds < this.#milliseconds;
    this.#bytes = 0;
    this.#waitedMilliseconds = 0;
    return true;
  }

  /** How many bytes came since there were enough of them. */
  get bytes(): number {
    return this.#bytes;
  }
}
