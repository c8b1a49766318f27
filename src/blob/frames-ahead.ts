import type { BatchSize, BatchSizes } from "./ahead-sizes.ts";
import type { AheadThread } from "./ahead-thread.ts";
import type { CompressedInput } from "./compressed-input.ts";
import { copyAll } from "./decompressed-output.ts";
import { type Frame, FrameWalk } from "./frame-walk.ts";
import { mostWindowLog } from "./frames-decoder.ts";
import type { GatheredOutput } from "./gathered-output.ts";
import type { AheadGiver, ReadAhead } from "./read-ahead.ts";

/*
 * zstd data that are read ahead may be of many frames, of which each can be decoded by itself. Their headers, and those of
 * their blocks, tell where they end, and how much may come of them. Threads decode whole frames, some of them in a batch.
 */

/** Frames in a row. Places count from the input's beginning. */
interface Batch {
  readonly start: number;
  readonly end: number;
  readonly mostBytes: number;
}

/** Gives batches of zstd frames to threads. One batch more than there are threads is read ahead. */
export class FramesAhead implements AheadGiver {
  readonly #ahead: ReadAhead;
  readonly #windowLog: number;
  readonly #sizes: BatchSizes;
  readonly #walk = new FrameWalk((frame) => this.#add(frame));
  #walkedBytes = 0;
  /** Batches that wait for a thread, and what may become one. */
  readonly #waiting: Batch[] = [];
  #growing: Batch | undefined;
  readonly #given: { readonly batch: Batch; readonly thread: AheadThread }[] = [];

  /** No frame may need a window of more than `2 ** windowLog` bytes. */
  constructor(ahead: ReadAhead, windowLog: number) {
    this.#ahead = ahead;
    this.#windowLog = Math.min(windowLog, mostWindowLog);
    this.#sizes = ahead.sizes.batches;
    ahead.begin(this);
  }

  /** Not while a batch waits, nor within a frame that is decoded in order. */
  get wantsMore(): boolean {
    const { filledBytes, readBytes, threads } = this.#ahead;
    const { inputBytes } = this.#sizes.most;
    const isLarge = filledBytes - this.#walk.frameStart > inputBytes;
    return this.#waiting.length === 0 && !isLarge && filledBytes - readBytes < (threads.length + 1) * inputBytes;
  }

  /** Passes on what a thread made of the frames that begin here, if one has been given them. */
  pass(input: CompressedInput, output: GatheredOutput): boolean {
    this.#ahead.advance();
    const [first] = this.#given;
    if (first === undefined || first.batch.start !== input.takenBytes) return false;
    this.#given.shift();
    const { batch, thread } = first;
    output.handOn();
    if (thread.result(true) !== "frames") {
      thread.reject();
      this.close();
      return false;
    }
    thread.accept();
    input.takeAll(batch.end - batch.start);
    for (let bytes = thread.read(); bytes !== undefined; bytes = thread.read()) copyAll(bytes, output);
    return true;
  }

  /** Says that no frames will be asked for any more. */
  close(): void {
    this.#ahead.end();
    for (const { thread } of this.#given.splice(0)) thread.reject();
  }

  give(): void {
    const { filledBytes, readBytes, hasEnded, threads } = this.#ahead;
    for (const part of this.#ahead.parts(this.#walkedBytes, filledBytes)) this.#walk.add(part);
    this.#walkedBytes = filledBytes;
    if (hasEnded) this.#finish();
    for (let batch = this.#waiting[0]; batch !== undefined; batch = this.#waiting[0]) {
      const isTooLate = batch.start < readBytes;
      const thread = isTooLate ? undefined : threads.find(({ isIdle }) => isIdle);
      if (thread !== undefined) this.#giveTo(thread, batch);
      else if (!isTooLate) return;
      this.#waiting.shift();
    }
  }

  #giveTo(thread: AheadThread, batch: Batch): void {
    thread.giveFrames(this.#ahead.parts(batch.start, batch.end), batch.mostBytes);
    this.#given.push({ batch, thread });
  }

  #add({ start, end, windowBytes, mostBytes }: Frame): void {
    const { usual, most } = this.#sizes;
    const fits = ({ inputBytes, outputBytes }: BatchSize, batch: Batch) =>
      batch.end - batch.start <= inputBytes && batch.mostBytes <= outputBytes;
    const alone = { start, end, mostBytes };
    const more = this.#growing && { start: this.#growing.start, end, mostBytes: this.#growing.mostBytes + mostBytes };
    const isBegun = this.#growing !== undefined && this.#growing.start < this.#ahead.readBytes;
    const isLarge = windowBytes > 2 ** this.#windowLog || !fits(most, alone);
    if (more !== undefined && !isBegun && !isLarge && fits(usual, more)) {
      this.#growing = more;
      return;
    }
    this.#finish();
    if (!isLarge && start >= this.#ahead.readBytes) this.#growing = alone;
  }

  /** What has been begun to be read in order comes too late, which is seen when it is given. */
  #finish(): void {
    if (this.#growing !== undefined) this.#waiting.push(this.#growing);
    this.#growing = undefined;
  }
}
