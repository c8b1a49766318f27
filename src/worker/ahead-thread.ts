import { historyBytes } from "../blob/ahead-decoder.ts";
import type { AheadThread, MadeAhead } from "../blob/ahead-thread.ts";
import { CompressedInput } from "../blob/compressed-input.ts";
import { copyAll } from "../blob/decompressed-output.ts";
import type { AheadRings } from "./ahead-job.ts";
import { type AheadTask, readMade, readMadeFrames, writeTask, writeWords } from "./ahead-messages.ts";
import { RingReader, RingWriter } from "./ring.ts";

/** What is known of what a thread was given. What is "rejected" may still be decoded. */
type State = "idle" | "decoding" | "rejected" | "made" | "taken";

/** The decompressing thread's end of a thread that decodes ahead. */
export class RingedAheadThread implements AheadThread {
  readonly #reader: RingReader;
  readonly #input: CompressedInput;
  readonly #output: RingWriter;
  readonly #onTask: () => void;
  readonly #tails = new Uint16Array(historyBytes);
  #state: State = "idle";
  #kind: AheadTask["kind"] = "piece";
  #made: MadeAhead = "nothing";
  #leftBytes = 0;
  #shownBytes = 0;

  /** `onTask` is called whenever the thread is given something. */
  constructor({ input, output }: AheadRings, onTask: () => void = () => {}) {
    this.#output = new RingWriter(input);
    this.#reader = new RingReader(output);
    this.#input = new CompressedInput(this.#reader);
    this.#onTask = onTask;
  }

  get isIdle(): boolean {
    if (this.#state === "rejected" && this.#reader.isReady) {
      this.#readMade();
      this.#state = "idle";
    }
    return this.#state === "idle";
  }

  givePiece(parts: readonly Uint8Array[], limit: number): void {
    this.#give("piece", parts, limit);
  }

  giveFrames(parts: readonly Uint8Array[], mostBytes: number): void {
    this.#give("frames", parts, mostBytes);
  }

  result(wait: boolean): MadeAhead | undefined {
    if (this.#state === "decoding") {
      if (!wait && !this.#reader.isReady) return undefined;
      this.#readMade();
      this.#state = "made";
    }
    return this.#made;
  }

  reject(): void {
    writeWords([0], this.#output);
    this.#state = this.#state === "decoding" ? "rejected" : "idle";
  }

  accept(history?: Uint8Array): void {
    writeWords([1], this.#output);
    if (history !== undefined) copyAll(history, this.#output);
    this.#state = "taken";
  }

  read(): Uint8Array | undefined {
    this.#input.take(this.#shownBytes);
    this.#leftBytes -= this.#shownBytes;
    const bytes = this.#leftBytes > 0 ? this.#input.peek()?.subarray(0, this.#leftBytes) : undefined;
    this.#shownBytes = bytes?.length ?? 0;
    if (bytes === undefined) this.#state = "idle";
    return bytes;
  }

  /** Says that there is no more. */
  end(): void {
    this.#output.end();
  }

  #give(kind: AheadTask["kind"], parts: readonly Uint8Array[], limit: number): void {
    this.#onTask();
    const bytes = parts.reduce((total, part) => total + part.length, 0);
    writeTask({ kind, bytes, limit }, this.#output);
    for (const part of parts) copyAll(part, this.#output);
    this.#kind = kind;
    this.#state = "decoding";
  }

  #readMade(): void {
    if (this.#kind === "frames") {
      const outputBytes = readMadeFrames(this.#input);
      this.#made = outputBytes === undefined ? "nothing" : "frames";
      this.#leftBytes = outputBytes ?? 0;
    } else {
      const made = readMade(this.#input, this.#tails);
      this.#made = made?.piece ?? "nothing";
      this.#leftBytes = made?.outputBytes ?? 0;
    }
  }
}
