import type { SandboxPolicy } from "../base/option-words.ts";
import { AheadDecoder, historyBytes } from "../blob/ahead-decoder.ts";
import { CompressedInput } from "../blob/compressed-input.ts";
import { copyAll } from "../blob/decompressed-output.ts";
import { FramesDecoder } from "../blob/frames-decoder.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import { type AheadTask, readInto, readTask, readWords, writeMade, writeMadeFrames } from "./ahead-messages.ts";
import { RingReader, RingWriter, type SharedRing } from "./ring.ts";

/** The rings to a thread that decodes ahead, and from it. */
export interface AheadRings {
  readonly input: SharedRing;
  readonly output: SharedRing;
}

/** What a thread is to do that decodes parts of layers ahead: all parts that come through its ring. */
export interface AheadJob extends AheadRings {
  readonly type: "decode-ahead";
  readonly sandbox: SandboxPolicy;
}

/** Decodes what comes until there is no more. This thread is confined so that it can open no file at all. */
export function decodeAhead(job: AheadJob): void {
  confineFromFiles(job.sandbox);
  const input = new CompressedInput(new RingReader(job.input));
  const output = new RingWriter(job.output);
  let pieces: Doing | undefined;
  let frames: Doing | undefined;
  while (input.peek() !== undefined) {
    const task = readTask(input);
    if (task.kind === "piece") {
      pieces ??= piecesDecoding(input, output);
      pieces(task);
    } else {
      frames ??= framesDecoding(input, output);
      frames(task);
    }
  }
}

/** Does a task, whose bytes are next in the ring. It has memory of its own, which is made where it is needed. */
type Doing = (task: AheadTask) => void;

function piecesDecoding(input: CompressedInput, output: RingWriter): Doing {
  const history = new Uint8Array(historyBytes);
  const decoder = new AheadDecoder();
  return ({ bytes, limit }) => {
    readInto(input, decoder.piece.subarray(0, bytes));
    const piece = decoder.decode(bytes, limit);
    writeMade(piece && { piece, outputBytes: decoder.outputBytes }, output);
    if (!isTaken(input)) return;
    readInto(input, history);
    for (const part of decoder.resolve(history)) copyAll(part, output);
  };
}

function framesDecoding(input: CompressedInput, output: RingWriter): Doing {
  const decoder = new FramesDecoder();
  let memory = new Uint8Array(0);
  return ({ bytes, limit }) => {
    if (memory.length < bytes) memory = new Uint8Array(bytes);
    const frames = memory.subarray(0, bytes);
    readInto(input, frames);
    const made = decoder.decode(frames, limit);
    writeMadeFrames(made?.length, output);
    if (isTaken(input) && made !== undefined) copyAll(made, output);
  };
}

function isTaken(input: CompressedInput): boolean {
  return readWords(input, 1)[0] === 1;
}
