/** How much of the input a piece is, and how much behind it goes with it, since its last block ends there. */
export interface PieceSizes {
  readonly pieceBytes: number;
  readonly behindBytes: number;
}

/** How much a batch of zstd frames is, of input and of what comes of it. */
export interface BatchSizes {
  /** A batch of several frames is no larger. */
  readonly usual: BatchSize;
  /** A larger frame is decoded in order. */
  readonly most: BatchSize;
}

export interface BatchSize {
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** How a layer is read ahead. */
export interface AheadSizes {
  /** It is kept in blocks. They are larger than what tells the compression. */
  readonly blockBytes: number;
  readonly pieces: PieceSizes;
  readonly batches: BatchSizes;
}

const MiB = 1024 * 1024;

/**
 * A MiB of gzip data takes a thread 5 to 8 ms. pzstd at its usual level makes frames of 8 MiB, of which each is a batch.
 * What a thread needs for all that is stated in ARCHITECTURE.md.
 */
export const usualSizes: AheadSizes = {
  blockBytes: MiB,
  pieces: { pieceBytes: MiB, behindBytes: MiB / 4 },
  batches: {
    usual: { inputBytes: MiB, outputBytes: 4 * MiB },
    most: { inputBytes: 4 * MiB, outputBytes: 8 * MiB },
  },
};
