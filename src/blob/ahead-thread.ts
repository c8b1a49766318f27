import type { GuessedPiece } from "./ahead-decoder.ts";

/** What a thread made of what it was given: nothing, a piece of deflate data, or whole frames of zstd data. */
export type MadeAhead = GuessedPiece | "frames" | "nothing";

/** A thread that decodes ahead, as the thread sees it that decodes in order. */
export interface AheadThread {
  /** Whether it can be given something. */
  readonly isIdle: boolean;
  /** Gives it a piece of deflate data, which lies in these parts. It is to begin before bit `limit`. */
  givePiece(parts: readonly Uint8Array[], limit: number): void;
  /** Gives it whole frames of zstd data, which lie in these parts. At most `mostBytes` come of them. */
  giveFrames(parts: readonly Uint8Array[], mostBytes: number): void;
  /** What it made of that. `undefined` if it is not done yet: never if it may wait. */
  result(wait: boolean): MadeAhead | undefined;
  /** Says that what it made is not taken. */
  reject(): void;
  /** Says that it is taken; a piece after these 32 KiB of history. */
  accept(history?: Uint8Array): void;
  /** The next bytes of what was taken, in order; `undefined` at its end. After that the thread is idle. */
  read(): Uint8Array | undefined;
}
