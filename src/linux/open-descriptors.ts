/*
 * Which descriptors a working thread has open, one bit for each, in memory that outlives the thread: Node closes what it
 * opened itself, and knows nothing of what system calls opened. A thread that is ended in the midst of its work leaves its
 * descriptors to whoever ended it.
 *
 * A bit is set after the descriptor is opened and taken back before it is closed. So a set bit never means a descriptor
 * that somebody else has got meanwhile.
 */

/** Descriptors beyond this number are not noted. */
const mostDescriptors = 1024 * 1024;

/** Where this thread notes its own. Writes beyond the end of a typed array have no effect: nobody asked for notes. */
let notes: Int32Array = new Int32Array(0);

/** Room for the notes of one thread. Pages that nothing is written to take no memory. */
export function createDescriptorNotes(): SharedArrayBuffer {
  return new SharedArrayBuffer(mostDescriptors / 8);
}

/** Makes the calling thread note what it opens and closes. */
export function noteDescriptorsIn(shared: SharedArrayBuffer): void {
  notes = new Int32Array(shared);
}

/** Notes a descriptor, where opening it has not failed. Gives the same back. */
export function noteOpened(descriptor: number): number {
  if (descriptor >= 0) notes[descriptor >>> 5] = (notes[descriptor >>> 5] ?? 0) | (1 << (descriptor & 31));
  return descriptor;
}

/** To be called before a descriptor is closed. */
export function noteClosed(descriptor: number): void {
  notes[descriptor >>> 5] = (notes[descriptor >>> 5] ?? 0) & ~(1 << (descriptor & 31));
}

/** What a thread that has ended left open. */
export function* descriptorsIn(shared: SharedArrayBuffer): Iterable<number> {
  for (const [index, word] of new Int32Array(shared).entries()) {
    if (word === 0) continue;
    for (let bit = 0; bit < 32; bit += 1) if ((word >>> bit) & 1) yield 32 * index + bit;
  }
}
