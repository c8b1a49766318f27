import { RingCancelled } from "../worker/ring.ts";

/*
 * What threads that clone side by side share:
 *
 *   │ NEXT │ STATE │   Int32
 *
 * the number of the next part that nobody has begun, and whether all are to stop.
 */
const NEXT = 0;
const STATE = 1;
const CANCELLED = 1;

export type SharedControl = SharedArrayBuffer;

export function createControl(): SharedControl {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
}

/** Makes all threads stop at their next part, or at their next chunk of a large file. */
export function cancelCloning(control: SharedControl): void {
  Atomics.store(new Int32Array(control), STATE, CANCELLED);
}

/** A thread's view of it. */
export class CloneControl {
  readonly #words: Int32Array;

  constructor(shared: SharedControl) {
    this.#words = new Int32Array(shared);
  }

  /** Throws where all are to stop. */
  readonly goOn = (): void => {
    if (Atomics.load(this.#words, STATE) === CANCELLED) throw new RingCancelled();
  };

  /** The number of a part that nobody else does. */
  next(): number {
    this.goOn();
    return Atomics.add(this.#words, NEXT, 1);
  }
}
