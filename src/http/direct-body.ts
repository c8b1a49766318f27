import type { IncomingMessage } from "node:http";
import { Connection } from "./connection.ts";
import { blockBytes, reserveBytes, type Wire, type WireUser } from "./wire.ts";

/** A rest of a body that is shorter is left to `node:http`. */
const worthwhileBytes = 64 * 1024;
/** So many bytes are passed on at once; of fewer … */
const enoughBytes = 64 * 1024;
/** … more are waited for, this long. A slow link brings 1.4 kB at a time, and each chunk has its price. */
const gatherMilliseconds = 5;

/** The rest of a body, past `node:http`. Each chunk is valid until the next one is requested. */
export class DirectBody implements WireUser, AsyncIterable<Uint8Array> {
  readonly #incoming: IncomingMessage;
  readonly #connection: Connection;
  readonly #mayGoOn: () => boolean;
  readonly #wire: Wire;
  /** How many bytes have not come yet. */
  #restBytes: number;
  /** The block that is being filled, and the one that the reader has. */
  #block: Uint8Array;
  #other: Uint8Array;
  #filledBytes = 0;
  #end: { readonly error: Error } | undefined;
  #hasExtra = false;
  /** Settles what the reader waits for. */
  #waiting: { readonly resolve: (chunk: Uint8Array) => void; readonly reject: (error: Error) => void } | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * Takes the rest of a body over from `node:http`, which has parsed the head of its response: from here on the bytes of
   * the connection are the body's, as many as `Content-Length` says. `undefined` where that cannot be, or is not worth
   * it.
   *
   * `mayGoOn` says whether the connection can be used again afterwards.
   */
  static of(incoming: IncomingMessage, mayGoOn: () => boolean): DirectBody | undefined {
    const { socket } = incoming as { readonly socket: unknown };
    const { "content-length": length, "transfer-encoding": coding } = incoming.headers;
    if (!(socket instanceof Connection) || coding !== undefined || !/^\d{1,15}$/.test(length ?? "")) return undefined;
    socket.deliver();
    const restBytes = Number(length) - incoming.readableLength;
    if (incoming.complete || incoming.destroyed || socket.destroyed || restBytes < worthwhileBytes) return undefined;
    return new DirectBody(incoming, socket, restBytes, mayGoOn);
  }

  constructor(incoming: IncomingMessage, connection: Connection, restBytes: number, mayGoOn: () => boolean) {
    this.#incoming = incoming;
    this.#connection = connection;
    this.#restBytes = restBytes;
    this.#mayGoOn = mayGoOn;
    this.#wire = connection.takeOver(this);
    [this.#block, this.#other] = this.#wire.blocks;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (let chunk = this.#incoming.read(); chunk !== null; chunk = this.#incoming.read()) yield chunk;
      this.#wire.resume();
      while (this.#restBytes + this.#filledBytes > 0) yield await this.#next();
    } finally {
      clearTimeout(this.#timer);
      if (this.#restBytes > 0 || this.#hasExtra || !this.#mayGoOn()) this.#connection.destroy();
      else this.#connection.release();
    }
  }

  space(): Uint8Array {
    const isFull = this.#filledBytes >= blockBytes;
    return this.#block.subarray(this.#filledBytes, isFull ? this.#block.length : blockBytes);
  }

  received(bytes: Uint8Array): boolean {
    const wanted = bytes.subarray(0, this.#restBytes);
    if (wanted.length < bytes.length) this.#hasExtra = true;
    this.#add(wanted);
    if (this.#isEnough) this.#give();
    else this.#timer ??= setTimeout(() => this.#gathered(), gatherMilliseconds);
    return this.#restBytes > 0 && this.#hasRoom;
  }

  connected(): void {}

  ended(error?: Error): void {
    this.#end ??= { error: error ?? brokenOff() };
    if (this.#filledBytes > 0) this.#give();
    else this.#waiting?.reject(this.#end.error);
  }

  timedOut(): void {}

  get #isEnough(): boolean {
    return this.#restBytes === 0 || this.#filledBytes >= enoughBytes;
  }

  get #hasRoom(): boolean {
    return this.#filledBytes <= blockBytes - enoughBytes;
  }

  /** The bytes lie where `space` said, unless that has changed since it was asked. */
  #add(bytes: Uint8Array): void {
    const space = this.space();
    const isThere = bytes.buffer === space.buffer && bytes.byteOffset === space.byteOffset;
    if (!isThere) {
      if (this.#filledBytes + bytes.length >= this.#block.length) this.#enlarge(bytes.length);
      this.#block.set(bytes, this.#filledBytes);
    }
    this.#filledBytes += bytes.length;
    this.#restBytes -= bytes.length;
    if (this.#filledBytes === this.#block.length) this.#enlarge(reserveBytes);
  }

  #enlarge(byBytes: number): void {
    const larger = new Uint8Array(this.#block.length + byBytes);
    larger.set(this.#block);
    this.#block = larger;
  }

  #gathered(): void {
    this.#timer = undefined;
    if (this.#filledBytes > 0) this.#give();
  }

  /** Waits until enough has come, or what has come is old enough. */
  #next(): Promise<Uint8Array> | Uint8Array {
    const isReady = this.#isEnough || this.#timer === undefined || this.#end !== undefined;
    if (this.#filledBytes > 0 && isReady) return this.#taken();
    if (this.#end !== undefined) throw this.#end.error;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Gives the reader what has come, if he waits. */
  #give(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(this.#taken());
  }

  /** What has come, which the reader gets; what comes next goes into the block that the reader had. */
  #taken(): Uint8Array {
    const chunk = this.#block.subarray(0, this.#filledBytes);
    [this.#block, this.#other] = [this.#other, this.#block];
    this.#filledBytes = 0;
    if (this.#restBytes > 0) this.#wire.resume();
    return chunk;
  }
}

function brokenOff(): Error {
  return Object.assign(new Error("the connection was broken off in a body"), { code: "ECONNRESET" });
}
