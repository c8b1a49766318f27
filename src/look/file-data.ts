import type { Memory } from "../base/memory-budget.ts";
import type { Segment } from "../tar/entry.ts";
import type { DataFacts } from "../toc/toc-entry.ts";
import { ContentDigests } from "../tree/content-digests.ts";
import type { TreeFile } from "../tree/tree-file.ts";

/** Where the data of a file are in the decompressed archive of its layer: one segment right behind the other. */
export interface FileData {
  readonly offset: number;
  readonly length: number;
  /** Their SHA-256, in hexadecimal digits. */
  readonly digest: string;
  /** Where they go in a sparse file. */
  readonly segments?: readonly Segment[];
}

/** What a number takes in an array. */
const numberBytes = 8;

/**
 * Where the data of files are, as the indexes of their layers say. It is for a tree whose files' `content` is the index
 * of their entry in their layer.
 */
export class IndexedData {
  readonly #digests: ContentDigests;
  readonly #memory: Memory;
  /** The number of each layer's first entry among all. */
  readonly #starts = new Map<number, number>();
  #offsets = new Float64Array(64);
  #count = 0;

  constructor(memory: Memory) {
    this.#digests = new ContentDigests(memory);
    this.#memory = memory;
  }

  /** Says that what is added from now on is about another layer. */
  beginLayer(layer: number): void {
    this.#starts.set(layer, this.#count);
  }

  /** Takes down what an index says of a layer's next entry. */
  add({ dataOffset, digest, dataDigest = digest }: DataFacts): void {
    this.#count = this.#digests.addHex(dataDigest) + 1;
    if (this.#count > this.#offsets.length) this.#grow();
    this.#offsets[this.#count - 1] = dataOffset;
  }

  /** Where the data of a file are; `undefined` where no index says it. */
  get({ origin, content, sizeBytes, segments }: TreeFile): FileData | undefined {
    const start = this.#starts.get(origin);
    if (start === undefined) return undefined;
    const digest = this.#digests.get(start + content);
    if (digest === undefined) return undefined;
    const length = segments?.reduce((sum, segment) => sum + segment.length, 0) ?? sizeBytes;
    return {
      offset: this.#offsets[start + content] ?? 0,
      length,
      digest,
      ...(segments !== undefined && { segments }),
    };
  }

  #grow(): void {
    this.#memory.spend(this.#offsets.length * numberBytes, "files");
    const offsets = new Float64Array(2 * this.#offsets.length);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
  }
}
