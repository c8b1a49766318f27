import { CompressedInput } from "../blob/compressed-input.ts";
import { copyAll } from "../blob/decompressed-output.ts";
import { GatheredOutput } from "../blob/gathered-output.ts";
import type { DiskDirectory } from "../rootfs/disk-directory.ts";
import type { FileSystemTraits } from "../rootfs/file-system-probe.ts";
import { type HandedFile, type Makers, madeAsStated, type Outcome } from "../rootfs/handed-files.ts";
import { incomplete } from "../rootfs/write-content.ts";
import type { ByteSource } from "../tar/entry.ts";
import type { ContentRings } from "../worker/content-threads.ts";
import { unpackError } from "../worker/messages.ts";
import { RingReader, RingWriter } from "../worker/ring.ts";
import { ContentWriter, MADE, readTold, writeTraits } from "./content-messages.ts";

/** A thread is woken for so many bytes or files, and then it is another one's turn. */
const batchBytes = 64 * 1024;
const batchFiles = 32;

/** Threads that make files, as the thread sees them that makes names. */
export class RingedMakers implements Makers {
  readonly #makers: readonly RingedMaker[];
  readonly #writer = new ContentWriter();
  #current = 0;
  #filesInBatch = 0;
  #bytesInBatch = 0;

  constructor(rings: readonly ContentRings[]) {
    this.#makers = rings.map((rings) => new RingedMaker(rings));
  }

  begin(fileSystem: FileSystemTraits): void {
    for (const { output } of this.#makers) writeTraits(fileSystem, output);
  }

  give({ directory, name, entry }: HandedFile, body: ByteSource): number {
    const maker = this.#next();
    if (maker.directory !== directory) this.#writer.directory(directory.path, maker.output);
    maker.directory = directory;
    this.#writer.file(name, entry, maker.output);
    let restBytes = entry.sizeBytes;
    for (let chunk = body.read(); chunk !== undefined; chunk = body.read()) {
      copyAll(chunk, maker.output);
      restBytes -= chunk.length;
    }
    if (restBytes !== 0) throw incomplete(entry.path, restBytes);
    this.#filesInBatch += 1;
    this.#bytesInBatch += entry.sizeBytes;
    return this.#current;
  }

  outcome(maker: number, wait: boolean): Outcome | undefined {
    return this.#makers[maker]?.outcome(wait);
  }

  /** Lets the threads end when they have made what they were given. */
  end(): void {
    for (const maker of this.#makers) maker.end();
  }

  /** Who makes the next file: when a batch is full, who has the least to do. */
  #next(): RingedMaker {
    if (this.#filesInBatch >= batchFiles || this.#bytesInBatch >= batchBytes) {
      this.#makers[this.#current]?.output.handOn();
      this.#current = this.#idlest();
      this.#filesInBatch = 0;
      this.#bytesInBatch = 0;
    }
    const maker = this.#makers[this.#current];
    if (maker === undefined) throw new TypeError("nobody is there to make files");
    return maker;
  }

  #idlest(): number {
    const rooms = this.#makers.map(({ roomBytes }) => roomBytes);
    return rooms.indexOf(Math.max(...rooms));
  }
}

class RingedMaker {
  readonly output: GatheredOutput;
  /** Where it makes files; nothing before the first one. */
  directory: DiskDirectory | undefined;
  readonly #writer: RingWriter;
  readonly #reader: RingReader;
  readonly #input: CompressedInput;
  /** How many of the outcomes that are in hand say no more than that a file was made. */
  #made = 0;

  constructor({ input, output }: ContentRings) {
    this.#writer = new RingWriter(input);
    this.output = new GatheredOutput(this.#writer);
    this.#reader = new RingReader(output);
    this.#input = new CompressedInput(this.#reader);
  }

  /** How many bytes it can be given without waiting. */
  get roomBytes(): number {
    return this.#writer.roomBytes - this.output.gatheredBytes;
  }

  end(): void {
    this.output.handOn();
    this.#writer.end();
  }

  outcome(wait: boolean): Outcome | undefined {
    if (this.#made === 0) {
      if (!wait && this.#input.inHandBytes === 0 && !this.#reader.isReady) return undefined;
      if (wait) this.output.handOn();
      this.#made = this.#takeMade();
    }
    if (this.#made > 0) {
      this.#made -= 1;
      return madeAsStated;
    }
    this.#input.take(1);
    const { findings, error } = readTold(this.#input);
    return { findings, ...(error !== undefined && { error: unpackError(error) }) };
  }

  /** Takes the outcomes before the first one that says more. */
  #takeMade(): number {
    const bytes = this.#input.peek();
    if (bytes === undefined) throw new TypeError("a thread ended before it made all files");
    const told = bytes.findIndex((outcome) => outcome !== MADE);
    const made = told < 0 ? bytes.length : told;
    this.#input.take(made);
    return made;
  }
}
