import type { OnReadOpts, Socket } from "node:net";

/** Who uses a wire at the moment. It is told what happens on it. */
export interface WireUser {
  /** Where the next bytes should lie. Never empty. */
  space(): Uint8Array;
  /** Bytes have come, which are there until this returns. Returns false if no more should come before `resume`. */
  received(bytes: Uint8Array): boolean;
  /** The connection can be used; with TLS, the handshake is over. */
  connected(): void;
  /** No byte will come any more: the other end has said so, or the connection broke. */
  ended(error?: Error): void;
  /** Nothing came or went for as long as `Socket.setTimeout` says. */
  timedOut(): void;
}

/** Small enough for the processor's caches, large enough for few system calls. */
export const blockBytes = 256 * 1024;
/** What a block has besides for what comes unasked: TLS passes on all that it has decrypted. */
export const reserveBytes = 96 * 1024;

/** Enough for the head of a response and a short body. */
const headBytes = 64 * 1024;

/**
 * A socket that reads into memory that is used again. What users share a wire, one after the other: each connection
 * that `node:http` sees, a body that is read past it, and whoever watches it while it is idle.
 *
 * By itself Node allocates memory for each read, which the garbage collector has to find: with a blob of 1 GB that took
 * as much processor time as all system calls.
 */
export class Wire {
  readonly socket: Socket;
  readonly #head = Buffer.allocUnsafeSlow(headBytes);
  #blocks: readonly [Uint8Array, Uint8Array] | undefined;
  #user: WireUser | undefined;
  #isConnected = false;

  /** `connect` makes the socket, with the option for `net.connect` or `tls.connect` that it gets. */
  constructor(connect: (onread: OnReadOpts) => Socket) {
    const buffer = () => this.#user?.space() ?? this.#head;
    const callback = (length: number, memory: Uint8Array) => this.#user?.received(memory.subarray(0, length)) ?? false;
    const socket = connect({ buffer, callback });
    this.socket = socket;
    socket.once("encrypted" in socket ? "secureConnect" : "connect", () => {
      this.#isConnected = true;
      this.#user?.connected();
    });
    socket.on("end", () => this.#user?.ended());
    socket.on("error", (error) => this.#user?.ended(error));
    socket.on("close", () => this.#user?.ended());
    socket.on("timeout", () => this.#user?.timedOut());
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Memory for what a user copies at once. */
  get head(): Uint8Array {
    return this.#head;
  }

  /** Memory for long bodies, of which one lies in a block while the reader has the other. */
  get blocks(): readonly [Uint8Array, Uint8Array] {
    const block = () => Buffer.allocUnsafeSlow(blockBytes + reserveBytes);
    this.#blocks ??= [block(), block()];
    return this.#blocks;
  }

  /** From now on `user` gets what comes. */
  giveTo(user: WireUser): void {
    this.#user = user;
  }

  /** Lets more bytes come. */
  resume(): void {
    this.socket.resume();
  }
}
