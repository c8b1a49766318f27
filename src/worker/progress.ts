const WORDS = 4;

/**
 * How far each layer has come, in memory that all threads share.
 *
 * Each number has one writer and is only shown to people, so it needs no atomic operations.
 */
export class Progress {
  readonly shared: SharedArrayBuffer;
  readonly #numbers: Float64Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#numbers = new Float64Array(shared);
  }

  static forLayers(layers: number): Progress {
    return new Progress(new SharedArrayBuffer(layers * WORDS * Float64Array.BYTES_PER_ELEMENT));
  }

  /** Compressed bytes that the source has given. */
  downloadedBytes(layer: number): number {
    return this.#numbers[layer * WORDS] ?? 0;
  }

  setDownloadedBytes(layer: number, bytes: number): void {
    this.#numbers[layer * WORDS] = bytes;
  }

  /** Compressed bytes that have been decompressed. */
  readBytes(layer: number): number {
    return this.#numbers[layer * WORDS + 1] ?? 0;
  }

  setReadBytes(layer: number, bytes: number): void {
    this.#numbers[layer * WORDS + 1] = bytes;
  }

  /** Bytes that came out of decompression. */
  unpackedBytes(layer: number): number {
    return this.#numbers[layer * WORDS + 2] ?? 0;
  }

  setUnpackedBytes(layer: number, bytes: number): void {
    this.#numbers[layer * WORDS + 2] = bytes;
  }

  /** Entries that have been applied. */
  entries(layer: number): number {
    return this.#numbers[layer * WORDS + 3] ?? 0;
  }

  setEntries(layer: number, entries: number): void {
    this.#numbers[layer * WORDS + 3] = entries;
  }

  /** The numbers of all layers together. */
  totals(): { readonly downloadedBytes: number; readonly unpackedBytes: number; readonly entries: number } {
    const layers = [...Array(this.#numbers.length / WORDS).keys()];
    const sum = (number: (layer: number) => number) => layers.reduce((total, layer) => total + number(layer), 0);
    return {
      downloadedBytes: sum((layer) => this.downloadedBytes(layer)),
      unpackedBytes: sum((layer) => this.unpackedBytes(layer)),
      entries: sum((layer) => this.entries(layer)),
    };
  }
}
