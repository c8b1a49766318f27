import type { SandboxPolicy } from "../base/option-words.ts";
import { AheadDecoder, historyBytes } from "../blob/ahead-decoder.ts";
import { CompressedInput } from "../blob/compressed-input.ts";
import { copyAll } from "../blob/decompressed-output.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import { readInto, readWords, writeMade } from "./ahead-messages.ts";
import { RingReader, RingWriter, type SharedRing } from "./ring.ts";

/** The rings to a thread that decodes ahead, and from it. */
export interface AheadRings {
  readonly input: SharedRing;
  readonly output: SharedRing;
}

/** What a thread is to do that decodes pieces of gzip layers ahead: all pieces that come through its ring. */
export interface AheadJob extends AheadRings {
  readonly type: "decode-ahead";
  readonly sandbox: SandboxPolicy;
}

/** Decodes pieces until there are no more. This thread is confined so that it can open no file at all. */
export function decodeAhead(job: AheadJob): void {
  confineFromFiles(job.sandbox);
  const input = new CompressedInput(new RingReader(job.input));
  const output = new RingWriter(job.output);
  const history = new Uint8Array(historyBytes);
  const decoder = new AheadDecoder();
  while (input.peek() !== undefined) {
    const [length = 0, limit = 0] = readWords(input, 2);
    readInto(input, decoder.piece.subarray(0, length));
    const piece = decoder.decode(length, limit);
    writeMade(piece && { piece, outputBytes: decoder.outputBytes }, output);
    const [isTaken] = readWords(input, 1);
    if (isTaken === 0) continue;
    readInto(input, history);
    for (const bytes of decoder.resolve(history)) copyAll(bytes, output);
  }
}
