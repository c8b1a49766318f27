import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { together } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import type { ImageSource } from "../blob/image-source.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { OutletReader } from "../worker/outlet.ts";
import type { Pipeline } from "../worker/pipeline.ts";
import type { ReadTable } from "./check-table.ts";
import type { TableKind } from "./chunk-list.ts";
import type { ReadChunksJob } from "./chunks-job.ts";
import { digestOfFile, fileAt, type RangePlan, type RangeRequest, rangePlan } from "./range-plan.ts";

/** What reading a part of a layer takes. */
export interface TableReading {
  readonly source: ImageSource;
  readonly pipeline: Pipeline;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
  readonly signal: AbortSignal;
}

/** The table of contents of a layer does not do: the layer has to be read whole. Never reaches a caller of this library. */
export class LayerWanted extends Error {
  readonly layer: number;

  constructor(layer: number, why: string) {
    super(why);
    this.name = "LayerWanted";
    this.layer = layer;
  }
}

/** A layer's table of contents, which is the one that the manifest names, and the data that it leads to. */
export class LayerTable {
  readonly descriptor: Descriptor;
  readonly kind: TableKind;
  readonly #table: ReadTable;

  constructor(descriptor: Descriptor, kind: TableKind, table: ReadTable) {
    this.descriptor = descriptor;
    this.kind = kind;
    this.#table = table;
  }

  /** The index of the layer that was made of it, in gzip. */
  get index(): Uint8Array {
    return this.#table.index;
  }

  /** What has to be read for the files whose data begin at these places in the archive. They come in any order. */
  plan(dataOffsets: readonly number[]): RangePlan {
    return rangePlan(this.kind, this.#table.chunks, this.#filesAt(dataOffsets));
  }

  /** Whether more than half of the layer is needed for these files: then it is better read whole. */
  isMostNeeded(dataOffsets: readonly number[]): boolean {
    return 2 * this.plan(dataOffsets).bytes > this.descriptor.sizeBytes;
  }

  /**
   * Reads the data of these files, in the order of the archive, and gives them to `take`, which must not keep them. Each
   * has the digest in the table when the promise is fulfilled. Throws what is wrong otherwise.
   */
  async read(
    dataOffsets: readonly number[],
    take: (bytes: Uint8Array) => Promise<void>,
    reading: TableReading,
  ): Promise<void> {
    const files = this.#filesAt(dataOffsets);
    const plan = rangePlan(this.kind, this.#table.chunks, files);
    const proof = new FileProof(files.map((file) => this.#described(file)));
    await this.#receive(plan, reading, async (bytes) => {
      proof.update(bytes);
      await take(bytes);
    });
    proof.end();
  }

  #described(file: number): { readonly sizeBytes: number; readonly digest: string } {
    const { chunks } = this.#table;
    return { sizeBytes: chunks.fileSizes[file] ?? 0, digest: digestOfFile(chunks, file) };
  }

  #filesAt(dataOffsets: readonly number[]): readonly number[] {
    const numbers = dataOffsets.map((offset) => {
      const file = fileAt(this.#table.chunks, offset);
      if (file === undefined) throw new RangeError("the table has no such file");
      return file;
    });
    return numbers.sort((one, other) => one - other);
  }

  async #receive(
    { requests, chunks }: RangePlan,
    { source, pipeline, sandbox, settings, signal }: TableReading,
    take: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    const reader = new OutletReader();
    const { limits } = settings;
    const { descriptor } = this;
    await together(signal, [
      async (stop) => {
        const cancel = () => reader.cancel();
        stop.addEventListener("abort", cancel, { once: true });
        try {
          await pipeline.consume(
            (input): ReadChunksJob => ({
              type: "read-chunks",
              input,
              outlet: reader.outlet,
              plan: chunks,
              sandbox,
              limits,
            }),
            async (write, feeding) => {
              for (const request of requests)
                for await (const bytes of wantedBytes(source, descriptor, request, feeding)) await write(bytes);
            },
            { onReport: reader.report, signal: stop },
          );
        } finally {
          stop.removeEventListener("abort", cancel);
          reader.end();
        }
      },
      (stop) => reader.run(take, stop),
    ]);
  }
}

/** The sections of a part of a blob, without what lies between them. */
async function* wantedBytes(
  source: ImageSource,
  descriptor: Descriptor,
  { offset, length, sections }: RangeRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const ahead = sections.toReversed();
  let at = offset;
  for await (const chunk of source.blob(descriptor, { offset, length, signal })) {
    for (let rest = chunk; rest.length > 0; ) {
      const next = ahead.at(-1);
      if (next === undefined) return; // a source may give more
      const gap = Math.max(0, next.start - at);
      const part = rest.subarray(gap, gap + next.end - Math.max(at, next.start));
      const passed = Math.min(rest.length, gap + part.length);
      if (part.length > 0) yield part;
      at += passed;
      rest = rest.subarray(passed);
      if (at === next.end) ahead.pop();
    }
  }
}

/** Verifies the data of files that come one right behind the other. */
class FileProof {
  readonly #files: readonly { readonly sizeBytes: number; readonly digest: string }[];
  #next = 0;
  #bytes = 0;
  #hash = createHash("sha256");

  constructor(files: readonly { readonly sizeBytes: number; readonly digest: string }[]) {
    this.#files = files;
  }

  update(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0; ) {
      const file = this.#files[this.#next];
      if (file === undefined) throw new RangeError("more data came than were asked for");
      const part = rest.subarray(0, file.sizeBytes - this.#bytes);
      this.#hash.update(part);
      this.#bytes += part.length;
      rest = rest.subarray(part.length);
      if (this.#bytes === file.sizeBytes) this.#endFile(file.digest);
    }
  }

  end(): void {
    if (this.#next !== this.#files.length) throw new RangeError("fewer data came than were asked for");
  }

  #endFile(digest: string): void {
    const actual = this.#hash.digest("hex");
    if (actual !== digest) {
      const found = `the data of a file digest to sha256:${actual}, its table of contents says sha256:${digest}`;
      throw new OciUnpackError("DIGEST_MISMATCH", `cannot read a part of the layer: ${found}`);
    }
    this.#hash = createHash("sha256");
    this.#bytes = 0;
    this.#next += 1;
  }
}

/** Exactly so many bytes of a blob. Throws where its source does not give them. */
export async function partOfBlob(
  source: ImageSource,
  descriptor: Descriptor,
  { offset, length }: { readonly offset: number; readonly length: number },
  signal: AbortSignal,
): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let at = 0;
  for await (const chunk of source.blob(descriptor, { offset, length, signal })) {
    const part = chunk.subarray(0, length - at);
    bytes.set(part, at);
    at += part.length;
    if (at === length) return bytes;
  }
  throw new OciUnpackError(
    "SIZE_MISMATCH",
    `cannot read a part of blob ${descriptor.digest}: ${at} of ${length} bytes came`,
  );
}
