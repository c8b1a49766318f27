import { type GuessedPiece, historyBytes } from "../blob/ahead-decoder.ts";
import { CompressedInput } from "../blob/compressed-input.ts";
import { copyAll } from "../blob/decompressed-output.ts";
import type { AheadThread } from "../blob/read-ahead.ts";
import type { AheadRings } from "./ahead-job.ts";
import { type MadePiece, readMade, writeWords } from "./ahead-messages.ts";
import { RingReader, RingWriter } from "./ring.ts";

/** What is known of a thread's piece. One that is "rejected" may still be decoded. */
type State = "idle" | "decoding" | "rejected" | "made" | "taken";

/** The decompressing thread's end of a thread that decodes ahead. */
export class RingedAheadThread implements AheadThread {
  readonly #reader: RingReader;
  readonly #input: CompressedInput;
  readonly #output: RingWriter;
  readonly #tails = new Uint16Array(historyBytes);
  #state: State = "idle";
  #made: MadePiece | undefined;
  #leftBytes = 0;
  #shownBytes = 0;

  constructor({ input, output }: AheadRings) {
    this.#output = new RingWriter(input);
    this.#reader = new RingReader(output);
    this.#input = new CompressedInput(this.#reader);
  }

  get isIdle(): boolean {
    if (this.#state === "rejected" && this.#reader.isReady) {
      readMade(this.#input, this.#tails);
      this.#state = "idle";
    }
    return this.#state === "idle";
  }

  give(parts: readonly Uint8Array[], limit: number): void {
    const length = parts.reduce((total, part) => total + part.length, 0);
    writeWords([length, limit], this.#output);
    for (const part of parts) copyAll(part, this.#output);
    this.#state = "decoding";
  }

  result(wait: boolean): GuessedPiece | "nothing" | undefined {
    if (this.#state === "decoding") {
      if (!wait && !this.#reader.isReady) return undefined;
      this.#made = readMade(this.#input, this.#tails);
      this.#state = "made";
    }
    return this.#made?.piece ?? "nothing";
  }

  reject(): void {
    writeWords([0], this.#output);
    this.#state = this.#state === "decoding" ? "rejected" : "idle";
  }

  accept(history: Uint8Array): void {
    writeWords([1], this.#output);
    copyAll(history, this.#output);
    this.#leftBytes = this.#made?.outputBytes ?? 0;
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

  /** Says that there are no more pieces. */
  end(): void {
    this.#output.end();
  }
}
