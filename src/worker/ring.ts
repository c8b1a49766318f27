import { type ByteSpace, copyBytes } from "../blob/decompressed-output.ts";
import type { ByteSource } from "../tar/entry.ts";
import { createWaits, OwnWaits } from "./ring-waits.ts";

/*
 * A ring of bytes in shared memory, with one thread that writes and one or two that read, each of them everything.
 *
 *   control  │ HEAD │ ENDS │ STATE │ WRITTEN │ READ │ WANTED │ READERS │ TAIL │ TAIL │ end positions … │   Int32
 *   bytes    │ ······ [tail ▒▒▒▒▒▒▒▒▒▒▒▒▒ head) ················································· │   Uint8, a power of two
 *
 * HEAD and TAIL count bytes since the beginning, modulo 2³². Their difference is what a reader has not read yet.
 * Several streams go through a ring one after the other. The n-th end position says where the n-th stream ends, so that
 * the writer can begin the next stream while a reader is still busy with this one.
 */
const HEAD = 0;
const ENDS = 1;
const STATE = 2;
/** Changes whenever the writer did something. A reader that has nothing to read sleeps until it changes. */
const WRITTEN = 3;
/** Changes whenever a reader did something. A writing thread that has no space sleeps until it changes. */
const READ = 4;
/** How many bytes of free space an asynchronous writer waits for; 0 when it does not wait. */
const WANTED = 5;
/** A bit for each reader that the writer waits for. */
const READERS = 6;
/** One for each reader, at most two. */
const TAIL = 7;
const CONTROL_WORDS = 9;

const OPEN = 0;
const CANCELLED = 1;

/** What all ends of a ring share: plain shared memory, so that it can be posted to a worker. */
export interface SharedRing {
  readonly control: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
  readonly waits: SharedArrayBuffer;
}

/**
 * Thrown by a read or write when the other end, or the main thread, has cancelled the ring. No caller of the library
 * sees it.
 */
export class RingCancelled extends Error {
  constructor() {
    super("the stream was cancelled");
    this.name = "RingCancelled";
  }
}

/** Makes a ring of `capacityBytes` (a power of two) for at most `streams` streams. */
export function createRing(capacityBytes: number, streams: number, readers: 1 | 2 = 1): SharedRing {
  const control = new SharedArrayBuffer((CONTROL_WORDS + streams) * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(control)[READERS] = readers === 2 ? 0b11 : 0b01;
  return { control, bytes: new SharedArrayBuffer(capacityBytes), waits: createWaits(readers) };
}

/** Makes every read and write of this ring throw `RingCancelled`, those that wait now and all later ones. */
export function cancelRing(ring: SharedRing): void {
  const control = new Int32Array(ring.control);
  Atomics.store(control, STATE, CANCELLED);
  for (const word of [WRITTEN, READ]) {
    Atomics.add(control, word, 1);
    Atomics.notify(control, word);
  }
}

/** Goes on without the first of two readers, which must not read any more. An asynchronous writer has to be woken. */
export function leaveFirstReaderOut(ring: SharedRing): void {
  Atomics.and(new Int32Array(ring.control), READERS, 0b10);
}

/** What the ends of a ring have in common. */
abstract class RingEnd {
  protected readonly control: Int32Array;
  protected readonly bytes: Uint8Array;
  /** The length of a view at most, so that the other end has the rest of the ring to work on. */
  protected readonly viewBytes: number;
  protected readonly waits: OwnWaits;

  /** `end` is 0 for the writer, then come the readers. */
  constructor(ring: SharedRing, end: number) {
    this.control = new Int32Array(ring.control);
    this.bytes = new Uint8Array(ring.bytes);
    this.viewBytes = this.bytes.length >>> 3;
    this.waits = new OwnWaits(ring.waits, end);
  }

  /** How much the writer may fill: what all readers have read. */
  protected freeBytes(): number {
    const head = Atomics.load(this.control, HEAD);
    const readers = Atomics.load(this.control, READERS);
    const usedBy = (reader: 0 | 1) => {
      const isThere = (readers & (1 << reader)) !== 0;
      return isThere ? (head - Atomics.load(this.control, TAIL + reader)) >>> 0 : 0;
    };
    return this.bytes.length - Math.max(usedBy(0), usedBy(1));
  }

  /** Sleeps until `word` has another value than `seen`. */
  protected sleep(word: number, seen: number): void {
    const startedAt = performance.now();
    Atomics.wait(this.control, word, seen);
    this.waits.add(startedAt);
  }

  protected throwIfCancelled(): void {
    if (Atomics.load(this.control, STATE) !== OPEN) throw new RingCancelled();
  }

  /** Up to `length` bytes from `position` on: fewer where the ring's memory ends, or a view would be too long. */
  protected view(position: number, length: number): Uint8Array {
    const start = (position >>> 0) & (this.bytes.length - 1);
    return this.bytes.subarray(start, Math.min(start + length, start + this.viewBytes, this.bytes.length));
  }
}

/**
 * The reading end of a ring, on a thread that may sleep.
 *
 * Streams come one after the other: `undefined` says that one has ended, and the `read` after that begins the next.
 */
export class RingReader extends RingEnd implements ByteSource {
  readonly #wakeWriter: () => void;
  readonly #tail: number;
  #stream = 0;
  #heldBytes = 0;

  /** `wakeWriter` is called when an asynchronous writer had asked to be told about free space. */
  constructor(ring: SharedRing, wakeWriter: () => void = () => {}, reader: 0 | 1 = 0) {
    super(ring, 1 + reader);
    this.#wakeWriter = wakeWriter;
    this.#tail = TAIL + reader;
  }

  /** Whether `read` returns without waiting. */
  get isReady(): boolean {
    return this.#available().bytes > this.#heldBytes || Atomics.load(this.control, ENDS) > this.#stream;
  }

  read(): Uint8Array | undefined {
    this.#release();
    for (;;) {
      const written = Atomics.load(this.control, WRITTEN);
      this.throwIfCancelled();
      const { start, bytes, hasEnded } = this.#available();
      if (bytes > 0) {
        const chunk = this.view(start, bytes);
        this.#heldBytes = chunk.length;
        return chunk;
      }
      if (hasEnded) {
        this.#stream += 1;
        return undefined;
      }
      this.sleep(WRITTEN, written);
    }
  }

  /** What there is of this stream, from what is held on, and whether there will be no more. */
  #available(): { readonly start: number; readonly bytes: number; readonly hasEnded: boolean } {
    // In this order: bytes seen before the stream was seen to be open cannot belong to the next one.
    const head = Atomics.load(this.control, HEAD);
    const hasEnded = Atomics.load(this.control, ENDS) > this.#stream;
    const start = Atomics.load(this.control, this.#tail);
    const limit = hasEnded ? (this.control[CONTROL_WORDS + this.#stream] ?? 0) : head;
    return { start, bytes: (limit - start) >>> 0, hasEnded };
  }

  #release(): void {
    if (this.#heldBytes === 0) return;
    Atomics.add(this.control, this.#tail, this.#heldBytes);
    this.#heldBytes = 0;
    Atomics.add(this.control, READ, 1);
    Atomics.notify(this.control, READ);
    const wanted = Atomics.load(this.control, WANTED);
    if (wanted > 0 && this.freeBytes() >= wanted) {
      if (Atomics.exchange(this.control, WANTED, 0) > 0) this.#wakeWriter();
    }
  }
}

abstract class RingWriterEnd extends RingEnd {
  #streams = 0;

  constructor(ring: SharedRing) {
    super(ring, 0);
  }

  commit(length: number): void {
    Atomics.add(this.control, HEAD, length);
    this.#announce();
  }

  /** Ends the current stream; what is committed next belongs to the next one. */
  end(): void {
    this.control[CONTROL_WORDS + this.#streams] = Atomics.load(this.control, HEAD);
    this.#streams += 1;
    Atomics.store(this.control, ENDS, this.#streams);
    this.#announce();
  }

  protected freeSpace(): Uint8Array | undefined {
    const freeBytes = this.freeBytes();
    return freeBytes === 0 ? undefined : this.view(Atomics.load(this.control, HEAD), freeBytes);
  }

  #announce(): void {
    Atomics.add(this.control, WRITTEN, 1);
    Atomics.notify(this.control, WRITTEN);
  }
}

/** The writing end of a ring, on a thread that may sleep. */
export class RingWriter extends RingWriterEnd implements ByteSpace {
  /** How many bytes it would take without waiting. */
  get roomBytes(): number {
    return this.freeBytes();
  }

  space(): Uint8Array {
    for (;;) {
      const read = Atomics.load(this.control, READ);
      this.throwIfCancelled();
      const space = this.freeSpace();
      if (space !== undefined) return space;
      this.sleep(READ, read);
    }
  }
}

/** The writing end of a ring, on the main thread, which must not sleep. */
export class AsyncRingWriter extends RingWriterEnd {
  #wake: (() => void) | undefined;

  /** Copies a chunk into the ring, waiting for space as often as needed. */
  async write(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      this.throwIfCancelled();
      const space = this.freeSpace();
      if (space === undefined) {
        const startedAt = performance.now();
        await this.#spaceFreed();
        this.waits.add(startedAt);
        continue;
      }
      const length = Math.min(space.length, rest.length);
      copyBytes(rest.subarray(0, length), space);
      this.commit(length);
      rest = rest.subarray(length);
    }
  }

  /** Has to be called when the reader reports that it freed space, and after the ring was cancelled. */
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #spaceFreed(): Promise<void> {
    const wanted = this.bytes.length >>> 2;
    return new Promise((resolve) => {
      this.#wake = resolve;
      Atomics.store(this.control, WANTED, wanted);
      // The reader may have freed the space, or the ring may have been cancelled, just before WANTED was set.
      const gone = Atomics.load(this.control, STATE) !== OPEN || this.freeBytes() >= wanted;
      if (gone && Atomics.exchange(this.control, WANTED, 0) > 0) this.wake();
    });
  }
}
