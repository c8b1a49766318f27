import type { Result } from "./libc.ts";

/*
 * Which descriptors a working thread has open, in memory that outlives the thread: Node closes what it opened itself, and
 * knows nothing of what system calls opened. A thread that is ended in the midst of its work leaves its descriptors to
 * whoever ended it.
 *
 *   shared   │ LOCK │ a bit for each descriptor …                                                     │   Int32
 *
 * A thread holds the lock while it opens or closes, so that what is noted is what is open. Whoever wants to end it takes
 * the lock before, and never gives it back.
 */
const LOCK = 0;
const FREE = 0;
const TAKEN = 1;
const headerWords = 1;

/** Descriptors beyond this number are not noted. */
const mostDescriptors = 1024 * 1024;

/** What this thread notes. Nobody asked the main thread for notes: writes beyond the end of an array have no effect. */
let notes: Int32Array = new Int32Array(headerWords);

/** Room for the notes of one thread. Pages that nothing is written to take no memory. */
export function createDescriptorNotes(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * headerWords + mostDescriptors / 8);
}

/** Makes the calling thread note what it opens and closes. */
export function noteDescriptorsIn(shared: SharedArrayBuffer): void {
  notes = new Int32Array(shared);
}

/** A system call that gives a new descriptor, which is noted. */
export function opening<Arguments extends readonly unknown[]>(
  call: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  return (...args) => {
    lock();
    try {
      const result = call(...args);
      if (result >= 0) notes[wordOf(result)] = (notes[wordOf(result)] ?? 0) | bitOf(result);
      return result;
    } finally {
      Atomics.store(notes, LOCK, FREE);
    }
  };
}

/** The system call that closes a descriptor, which is noted no more. */
export function closing(call: (descriptor: number) => Result): (descriptor: number) => void {
  return (descriptor) => {
    lock();
    try {
      notes[wordOf(descriptor)] = (notes[wordOf(descriptor)] ?? 0) & ~bitOf(descriptor);
      call(descriptor);
    } finally {
      Atomics.store(notes, LOCK, FREE);
    }
  };
}

/** Takes the lock of a thread that is to be ended, for ever; false while the thread is opening or closing something. */
export function isHalted(shared: SharedArrayBuffer): boolean {
  return Atomics.compareExchange(new Int32Array(shared), LOCK, FREE, TAKEN) === FREE;
}

/** What a thread that has ended left open. */
export function* descriptorsIn(shared: SharedArrayBuffer): Iterable<number> {
  const words = new Int32Array(shared).subarray(headerWords);
  for (const [index, word] of words.entries()) {
    if (word === 0) continue;
    for (let bit = 0; bit < 32; bit += 1) if ((word >>> bit) & 1) yield 32 * index + bit;
  }
}

/** Waits for its end, where this thread is about to be ended. */
function lock(): void {
  while (Atomics.compareExchange(notes, LOCK, FREE, TAKEN) !== FREE) Atomics.wait(notes, LOCK, TAKEN);
}

function wordOf(descriptor: number): number {
  return headerWords + (descriptor >>> 5);
}

function bitOf(descriptor: number): number {
  return 1 << (descriptor & 31);
}
