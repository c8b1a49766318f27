import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import { OciUnpackError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { CompressedInput } from "../blob/compressed-input.ts";
import { decompress } from "../blob/decompressed.ts";
import { type ByteSpace, DecompressedOutput } from "../blob/decompressed-output.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import type { ByteSource } from "../tar/entry.ts";
import { Outlet, type SharedOutlet } from "../worker/outlet.ts";
import { RingReader, type SharedRing } from "../worker/ring.ts";
import { tell } from "../worker/serve.ts";
import { digestBytes, type TableKind } from "./chunk-list.ts";

/** Which chunks come through a ring, one right behind the other. */
export interface ChunkPlan {
  readonly kind: TableKind;
  /** How many compressed bytes each section has, which is decompressed by itself. */
  readonly sectionBytes: Float64Array;
  /** In which section each chunk is. */
  readonly sections: Float64Array;
  readonly innerOffsets: Float64Array;
  readonly sizes: Float64Array;
  readonly digests: Uint8Array;
}

/** The job to decompress and verify chunks of a layer, and to send them to the main thread. */
export interface ReadChunksJob {
  readonly type: "read-chunks";
  readonly input: SharedRing;
  readonly outlet: SharedOutlet;
  readonly plan: ChunkPlan;
  readonly sandbox: SandboxPolicy;
  readonly limits: Limits;
}

/** Sends the chunks. The thread is confined so that it can open no file. */
export function readChunks({ input, outlet: shared, plan, sandbox, limits }: ReadChunksJob): void {
  tell({ type: "confined", status: confineFromFiles(sandbox) });
  const outlet = new Outlet(shared, (bytes) => tell({ type: "bytes", bytes }));
  const ring = new RingReader(input, () => tell({ type: "space" }));
  const chunks = new WantedChunks(plan, outlet);
  // zstd's frames are decompressed as one stream: a decompressor for each would take longer than they do.
  if (plan.kind === "zstd:chunked") decompressInto(chunks, ring, limits, Number.POSITIVE_INFINITY);
  else {
    const rest = new Sections(ring);
    for (const [section, bytes] of plan.sectionBytes.entries()) {
      rest.begin(bytes);
      chunks.beginSection(section);
      decompressInto(chunks, rest, limits, section);
      rest.end();
    }
  }
  chunks.end();
  outlet.end();
}

function decompressInto(chunks: WantedChunks, source: ByteSource, limits: Limits, lastSection: number): void {
  const input = new CompressedInput(source);
  const { totalBytes, expansionRatio, zstdWindowLog, trailingBytes } = limits;
  const output = new DecompressedOutput(chunks, {
    limits: { totalBytes, expansionRatio },
    readBytes: () => input.takenBytes,
    onBytes() {},
  });
  try {
    decompress(input, output, { expected: undefined, strict: false, zstdWindowLog, trailingBytes, warning() {} });
  } catch (error) {
    if (!(error instanceof SectionDone)) throw error;
  }
  chunks.endSection(lastSection);
}

/** All that is wanted of a section has come. What follows in it is of no interest. */
class SectionDone extends Error {}

/** The sections of a stream, one after the other. */
class Sections implements ByteSource {
  readonly #source: ByteSource;
  #chunk: Uint8Array = new Uint8Array(0);
  #restBytes = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  begin(bytes: number): void {
    this.#restBytes = bytes;
  }

  read(): Uint8Array | undefined {
    if (this.#restBytes === 0) return undefined;
    if (this.#chunk.length === 0) this.#chunk = this.#source.read() ?? new Uint8Array(0);
    const piece = this.#chunk.subarray(0, this.#restBytes);
    this.#restBytes -= piece.length;
    this.#chunk = this.#chunk.subarray(piece.length);
    return piece.length === 0 ? undefined : piece;
  }

  /** Passes over the rest of the section. */
  end(): void {
    while (this.read() !== undefined);
  }
}

const spaceBytes = 256 * 1024;

/** Takes what sections decompress to, and passes on what is wanted of it, verified chunk by chunk. */
class WantedChunks implements ByteSpace {
  readonly #plan: ChunkPlan;
  readonly #outlet: Outlet;
  readonly #space = new Uint8Array(spaceBytes);
  #next = 0;
  #section = 0;
  /** How many bytes of the section have come, and how many of the chunk. */
  #sectionBytes = 0;
  #chunkBytes = 0;
  #hash: Hash = createHash("sha256");

  constructor(plan: ChunkPlan, outlet: Outlet) {
    this.#plan = plan;
    this.#outlet = outlet;
  }

  space(): Uint8Array {
    return this.#space;
  }

  commit(length: number): void {
    const isOneStream = this.#plan.kind === "zstd:chunked";
    for (let rest = this.#space.subarray(0, length); rest.length > 0; ) {
      if (this.#next === this.#plan.sizes.length)
        throw isOneStream ? wrong("it has more than the table says") : new SectionDone();
      if (!isOneStream && this.#plan.sections[this.#next] !== this.#section) throw new SectionDone();
      rest = rest.subarray(this.#take(rest, isOneStream));
    }
  }

  beginSection(section: number): void {
    this.#section = section;
    this.#sectionBytes = 0;
  }

  /** Throws unless all chunks of a section, and of those before it, have come. */
  endSection(section: number): void {
    if (this.#next < this.#plan.sizes.length && (this.#plan.sections[this.#next] ?? 0) <= section)
      throw wrong("it ends too early");
  }

  end(): void {
    if (this.#next < this.#plan.sizes.length) throw wrong("it ends too early");
  }

  /** Takes what belongs to the next chunk, or comes before it. Gives how many bytes that are. */
  #take(bytes: Uint8Array, isOneStream: boolean): number {
    const { innerOffsets, sizes } = this.#plan;
    const before = isOneStream ? 0 : (innerOffsets[this.#next] ?? 0) - this.#sectionBytes;
    if (before > 0) {
      const skipped = Math.min(before, bytes.length);
      this.#sectionBytes += skipped;
      return skipped;
    }
    const size = sizes[this.#next] ?? 0;
    const part = bytes.subarray(0, size - this.#chunkBytes);
    this.#hash.update(part);
    this.#outlet.write(part);
    this.#chunkBytes += part.length;
    this.#sectionBytes += part.length;
    if (this.#chunkBytes === size) this.#endChunk();
    return part.length;
  }

  #endChunk(): void {
    const { digests } = this.#plan;
    const expected = Buffer.from(digests.subarray(this.#next * digestBytes, (this.#next + 1) * digestBytes));
    const actual = this.#hash.digest();
    // Only the first of a file's digests is there where it has one chunk: it is verified with the file.
    if (expected.some((byte) => byte !== 0) && !expected.equals(actual)) throw wrong("a chunk has another digest");
    this.#hash = createHash("sha256");
    this.#chunkBytes = 0;
    this.#next += 1;
  }
}

function wrong(found: string): OciUnpackError {
  return new OciUnpackError("CORRUPT_LAYER", `cannot read a part of the layer: ${found}`);
}
