import { type ByteSpace, copyBytes } from "../blob/decompressed-output.ts";
import type { ByteSource } from "../tar/entry.ts";

/*
 * A ring of bytes in shared memory, with one thread that writes and one or two that read, each of them everything.
 *
 *   control  │ HEAD │ ENDS │ STATE │ WRITTEN │ READ │ WANTED │ READERS │ TAIL │ TAIL │ end positions … │   Int32
 *   bytes    │ ······ [tail ▒▒▒▒▒▒▒▒▒▒▒▒▒ head) ················································· │   Uint8, a power of two
 *
 * HEAD and TAIL count bytes since the beginning, modulo 2³²; their difference is what a reader has before it. Several
 * streams pass through one after the other: where the n-th ends is noted in the n-th end position, so that the writer may
 * begin the next stream while a reader is still busy with this one.
 *
 *   waits    │ count, milliseconds │ of the writer, then of each reader                                 │   Float64
 *
 * Who waits is not the one that holds the others up. Each number has one writer and is only ever shown to people.
 */
const HEAD = 0;
const ENDS = 1;
const STATE = 2;
/** Changes whenever the writer did something: what a reader sleeps on. */
const WRITTEN = 3;
/** Changes whenever a reader did something: what a writing thread sleeps on. */
const READ = 4;
/** How many bytes of free space an asynchronous writer waits for; 0 when it does not wait. */
const WANTED = 5;
const READERS = 6;
/** One for each reader, at most two. */
const TAIL = 7;
const CONTROL_WORDS = 9;

const MOST_READERS = 2;

const OPEN = 0;
const CANCELLED = 1;

/** What both threads hold: plain shared memory, so that it can be posted to a worker. */
export interface SharedRing {
  readonly control: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
  readonly waits: SharedArrayBuffer;
}

/** How often, and how long in all, one end of a ring had nothing to do but wait for the other. */
export interface Waits {
  readonly count: number;
  readonly milliseconds: number;
}

/** Thrown out of a blocked read or write when the other side, or the main thread, has given up. Never reaches a caller. */
export class RingCancelled extends Error {
  constructor() {
    super("the stream was cancelled");
    this.name = "RingCancelled";
  }
}

/** Makes a ring of `capacityBytes` (a power of two) for at most `streams` streams. */
export function createRing(capacityBytes: number, streams: number, readers: 1 | 2 = 1): SharedRing {
  const control = new SharedArrayBuffer((CONTROL_WORDS + streams) * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(control)[READERS] = readers;
  const waits = new SharedArrayBuffer((1 + MOST_READERS) * 2 * Float64Array.BYTES_PER_ELEMENT);
  return { control, bytes: new SharedArrayBuffer(capacityBytes), waits };
}

/** How the ends of a ring waited for each other so far. */
export function waitsOf(ring: SharedRing): { readonly writer: Waits; readonly readers: readonly Waits[] } {
  const numbers = new Float64Array(ring.waits);
  const end = (index: number) => ({ count: numbers[2 * index] ?? 0, milliseconds: numbers[2 * index + 1] ?? 0 });
  const readers = new Int32Array(ring.control)[READERS] ?? 0;
  return { writer: end(0), readers: Array.from({ length: readers }, (_, reader) => end(1 + reader)) };
}

/** Makes every read and write of this ring, waiting or yet to come, throw `RingCancelled`. */
export function cancelRing(ring: SharedRing): void {
  const control = new Int32Array(ring.control);
  Atomics.store(control, STATE, CANCELLED);
  for (const word of [WRITTEN, READ]) {
    Atomics.add(control, word, 1);
    Atomics.notify(control, word);
  }
}

/** What is common to both ends. */
abstract class RingEnd {
  protected readonly control: Int32Array;
  protected readonly bytes: Uint8Array;
  /** The most that one view may span: the other side works on the rest meanwhile. */
  protected readonly viewBytes: number;
  readonly #waits: Float64Array;

  /** `end` is 0 for the writer, then come the readers. */
  constructor(ring: SharedRing, end: number) {
    this.control = new Int32Array(ring.control);
    this.bytes = new Uint8Array(ring.bytes);
    this.viewBytes = this.bytes.length >>> 3;
    this.#waits = new Float64Array(ring.waits, 2 * end * Float64Array.BYTES_PER_ELEMENT, 2);
  }

  /** Free for the writer: what every reader is done with. */
  protected freeBytes(): number {
    const head = Atomics.load(this.control, HEAD);
    let usedBytes = (head - Atomics.load(this.control, TAIL)) >>> 0;
    if (this.control[READERS] === 2) {
      usedBytes = Math.max(usedBytes, (head - Atomics.load(this.control, TAIL + 1)) >>> 0);
    }
    return this.bytes.length - usedBytes;
  }

  /** Sleeps until `word` has another value than the one seen. */
  protected sleep(word: number, seen: number): void {
    const startedAt = performance.now();
    Atomics.wait(this.control, word, seen);
    this.countWait(startedAt);
  }

  protected countWait(startedAt: number): void {
    const [count = 0, milliseconds = 0] = this.#waits;
    this.#waits[0] = count + 1;
    this.#waits[1] = milliseconds + performance.now() - startedAt;
  }

  protected throwIfCancelled(): void {
    if (Atomics.load(this.control, STATE) !== OPEN) throw new RingCancelled();
  }

  /** The bytes from `position` on, at most `length` of them, as far as they lie in one piece. */
  protected view(position: number, length: number): Uint8Array {
    const start = (position >>> 0) & (this.bytes.length - 1);
    return this.bytes.subarray(start, Math.min(start + length, start + this.viewBytes, this.bytes.length));
  }
}

/** The reading end, on a thread that may sleep. Gives one stream after the other: `undefined` ends one, the next `read` begins the next. */
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

  read(): Uint8Array | undefined {
    this.#release();
    for (;;) {
      const written = Atomics.load(this.control, WRITTEN);
      this.throwIfCancelled();
      // In this order: bytes seen before the stream was seen to be open cannot belong to the next one.
      const head = Atomics.load(this.control, HEAD);
      const ended = Atomics.load(this.control, ENDS) > this.#stream;
      const tail = Atomics.load(this.control, this.#tail);
      const limit = ended ? (this.control[CONTROL_WORDS + this.#stream] ?? 0) : head;
      const availableBytes = (limit - tail) >>> 0;
      if (availableBytes > 0) {
        const chunk = this.view(tail, availableBytes);
        this.#heldBytes = chunk.length;
        return chunk;
      }
      if (ended) {
        this.#stream += 1;
        return undefined;
      }
      this.sleep(WRITTEN, written);
    }
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

/** The writing end, on a thread that may sleep. */
export class RingWriter extends RingWriterEnd implements ByteSpace {
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

/** The writing end, on a thread that must not sleep. */
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
        this.countWait(startedAt);
        continue;
      }
      const length = Math.min(space.length, rest.length);
      copyBytes(rest.subarray(0, length), space);
      this.commit(length);
      rest = rest.subarray(length);
    }
  }

  /** To be called when the reader says that it freed space, and after cancelling. */
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #spaceFreed(): Promise<void> {
    const wanted = this.bytes.length >>> 2;
    return new Promise((resolve) => {
      this.#wake = resolve;
      Atomics.store(this.control, WANTED, wanted);
      // The reader may have freed it, or someone cancelled, just before it could see the wish.
      const gone = Atomics.load(this.control, STATE) !== OPEN || this.freeBytes() >= wanted;
      if (gone && Atomics.exchange(this.control, WANTED, 0) > 0) this.wake();
    });
  }
}
