/*
 * A record of the descriptors that a working thread has open, in memory that outlives the thread. When a thread is
 * ended, Node closes what Node opened, but not what system calls opened: whoever ended the thread closes those.
 *
 *   shared   │ LOCK │ HIGHEST │ LOADED │ a bit for each descriptor …                                  │   Int32
 *
 * HIGHEST is the highest descriptor so far, so that nobody has to look at all bits. A thread holds the lock while it
 * opens or closes something, so that the record is right. Whoever wants to end the thread takes the lock first and never
 * releases it. LOADED says whether the thread's code is loaded, native code included.
 */
const LOCK = 0;
const FREE = 0;
const TAKEN = 1;
const HIGHEST = 1;
const LOADED = 2;
const headerWords = 3;

/** Descriptors from this number on are not recorded. */
const mostDescriptors = 1024 * 1024;

/** This thread's record. The main thread has none: its array is too short, and writes beyond the end have no effect. */
let notes: Int32Array = new Int32Array(headerWords);

/** Memory for the record of one thread. Pages that are never written take no memory. */
export function createDescriptorNotes(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * headerWords + mostDescriptors / 8);
}

/** Makes the calling thread record in `shared` what it opens and closes. */
export function noteDescriptorsIn(shared: SharedArrayBuffer): void {
  notes = new Int32Array(shared);
}

/** Tells whoever waits that the calling thread's code is loaded. */
export function tellLoaded(): void {
  Atomics.store(notes, LOADED, 1);
  Atomics.notify(notes, LOADED);
}

/** Blocks until a thread's code is loaded, or for as long. */
export function waitUntilLoaded(shared: SharedArrayBuffer, milliseconds: number): void {
  Atomics.wait(new Int32Array(shared), LOADED, 0, milliseconds);
}

/** Makes a system call record the descriptor that it returns. What is negative is an error. */
export function opening<Arguments extends readonly unknown[]>(
  call: (...args: Arguments) => number,
): (...args: Arguments) => number {
  return (...args) => {
    lock();
    try {
      const result = call(...args);
      if (result >= 0) note(result);
      return result;
    } finally {
      Atomics.store(notes, LOCK, FREE);
    }
  };
}

/** Makes the system call that closes a descriptor remove it from the record. */
export function closing(call: (descriptor: number) => number): (descriptor: number) => void {
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

/**
 * Takes the lock of a thread that is to be ended, and keeps it. Returns false if the thread is opening or closing
 * something at the moment.
 */
export function isHalted(shared: SharedArrayBuffer): boolean {
  return Atomics.compareExchange(new Int32Array(shared), LOCK, FREE, TAKEN) === FREE;
}

/** The descriptors that a thread left open when it ended. */
export function descriptorsIn(shared: SharedArrayBuffer): readonly number[] {
  const words = new Int32Array(shared);
  const found: number[] = [];
  for (let descriptor = 0; descriptor <= (words[HIGHEST] ?? 0); descriptor++)
    if ((words[wordOf(descriptor)] ?? 0) & bitOf(descriptor)) found.push(descriptor);
  return found;
}

function note(descriptor: number): void {
  notes[wordOf(descriptor)] = (notes[wordOf(descriptor)] ?? 0) | bitOf(descriptor);
  if (descriptor > (notes[HIGHEST] ?? 0)) notes[HIGHEST] = descriptor;
}

/** Takes this thread's lock. Never returns if the thread is about to be ended. */
function lock(): void {
  while (Atomics.compareExchange(notes, LOCK, FREE, TAKEN) !== FREE) Atomics.wait(notes, LOCK, TAKEN);
}

function wordOf(descriptor: number): number {
  return headerWords + (descriptor >>> 5);
}

function bitOf(descriptor: number): number {
  return 1 << (descriptor & 31);
}
