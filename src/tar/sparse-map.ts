import type { Limits } from "../base/limits.ts";
import { invalidArchive, limitExceeded } from "./archive-error.ts";
import type { Segment } from "./entry.ts";

/** Where the data of a sparse file goes, while it is being read: segments in order, none overlapping another. */
export class SparseMap {
  readonly segments: Segment[] = [];
  readonly #offset: number;
  readonly #limits: Limits;
  #count = 0;
  #end = 0;
  #dataBytes = 0;

  /** The map of an entry whose header is at `offset`. */
  constructor(offset: number, limits: Limits) {
    this.#offset = offset;
    this.#limits = limits;
  }

  /** Whether `count` segments are allowed; a map that announces its length asks before it is read. */
  expect(count: number): void {
    const { sparseSegments } = this.#limits;
    if (count > sparseSegments) {
      throw limitExceeded(
        "decode the sparse map",
        this.#offset,
        `it has ${count} segments`,
        "sparseSegments",
        sparseSegments,
      );
    }
  }

  /** Segments without data are common at the end, where they only state the size. They leave no trace. */
  add(offset: number, length: number): void {
    this.expect(++this.#count);
    const end = offset + length;
    if (!(offset >= this.#end && length >= 0 && Number.isSafeInteger(end))) {
      throw this.invalid(
        `segment ${this.#count} begins at ${offset} and has ${length} bytes, after one that ends at ${this.#end}`,
      );
    }
    this.#end = end;
    this.#dataBytes += length;
    if (length > 0) this.segments.push({ offset, length });
  }

  /** Insists that the segments lie within the file and that their data is what the archive holds. */
  close(sizeBytes: number, bodyBytes: number): void {
    if (this.#end > sizeBytes)
      throw this.invalid(`its segments end at ${this.#end}, but the file has ${sizeBytes} bytes`);
    if (this.#dataBytes !== bodyBytes) {
      throw this.invalid(`its segments have ${this.#dataBytes} bytes together, but the archive holds ${bodyBytes}`);
    }
  }

  invalid(found: string) {
    return invalidArchive("decode the sparse map", this.#offset, found);
  }
}
