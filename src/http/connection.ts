import { Duplex } from "node:stream";
import type { Wire, WireUser } from "./wire.ts";

/** What becomes of a wire when a body that was read past `node:http` has ended. */
export type Return = (wire: Wire, connection: Connection) => void;

/**
 * A connection as `node:http` sees it: a stream over a wire.
 *
 * The head of a response, short bodies and those of unknown length go through the stream, copied, so that Node's parser
 * decides what they are. The rest of a long body can be read past it: then the stream is at its end, and another one can
 * begin on the same wire.
 */
export class Connection extends Duplex implements WireUser {
  /** Whether the wire was used before. */
  readonly isReused: boolean;
  readonly #wire: Wire;
  readonly #giveBack: Return;
  #successor: WireUser | undefined;
  #isGone = false;

  constructor(wire: Wire, isReused: boolean, giveBack: Return) {
    super({ allowHalfOpen: false });
    this.#wire = wire;
    this.isReused = isReused;
    this.#giveBack = giveBack;
    wire.giveTo(this);
    wire.resume();
  }

  /** Whether it cannot be used yet. There is a `connect` event when it can. */
  get connecting(): boolean {
    return !this.#wire.isConnected;
  }

  get remoteAddress(): string | undefined {
    return this.#wire.socket.remoteAddress;
  }

  get timeout(): number | undefined {
    return this.#wire.socket.timeout;
  }

  /**
   * Gives the wire to `successor`, which gets all bytes from the next one on. First `node:http` is given all that have
   * come. Returns the wire.
   */
  takeOver(successor: WireUser): Wire {
    this.#successor = successor;
    this.#wire.giveTo(successor);
    return this.#wire;
  }

  /** Gives `node:http` all that has come so far. */
  deliver(): void {
    while (this.read() !== null);
  }

  /** Ends the stream, and leaves the wire to the next one. */
  release(): void {
    this.#isGone = true;
    this.#giveBack(this.#wire, this);
    this.destroy();
  }

  space(): Uint8Array {
    return this.#wire.head;
  }

  received(bytes: Uint8Array): boolean {
    return this.push(Buffer.from(bytes));
  }

  connected(): void {
    this.emit("connect");
  }

  ended(error?: Error): void {
    if (error !== undefined) this.destroy(error);
    else if (this.#wire.socket.destroyed) this.destroy();
    else this.push(null);
  }

  timedOut(): void {
    this.emit("timeout");
  }

  override _read(): void {
    if (this.#successor === undefined) this.#wire.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#wire.socket.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#wire.socket.end(() => callback());
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#isGone) {
      this.#successor?.ended(error ?? undefined);
      this.#wire.socket.destroy();
    }
    callback(error);
  }

  /* What Node's agents ask of a socket. */

  setKeepAlive(isOn: boolean, initialMilliseconds: number): this {
    this.#wire.socket.setKeepAlive(isOn, initialMilliseconds);
    return this;
  }

  setNoDelay(isOn: boolean): this {
    this.#wire.socket.setNoDelay(isOn);
    return this;
  }

  setTimeout(milliseconds: number): this {
    this.#wire.socket.setTimeout(milliseconds);
    return this;
  }

  ref(): this {
    this.#wire.socket.ref();
    return this;
  }

  unref(): this {
    this.#wire.socket.unref();
    return this;
  }
}
