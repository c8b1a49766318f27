const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const TiB = 1024 * GiB;

/** How large the things may be whose size an image or a registry chooses. More than that is `LIMIT_EXCEEDED`. */
export interface Limits {
  /** Bytes of one manifest or index, on the wire and decoded. */
  readonly manifestBytes: number;
  /** Bytes of the image configuration. */
  readonly configBytes: number;
  /** Layers of one image. */
  readonly layers: number;
  /** How deep an index may lead to another index. */
  readonly indexDepth: number;
  /** What may be listed as referring to a manifest and be its signature. */
  readonly referrers: number;
  /** Pages of such a listing. */
  readonly referrersPages: number;
  /** Bytes of such a listing, all pages together. */
  readonly referrersBytes: number;
  /** Simple signings of one manifest. */
  readonly signatures: number;
  /** Bytes of one signature: of a payload, or of a bundle. */
  readonly signatureBytes: number;
  /** Blobs downloaded at the same time; at least 1. */
  readonly parallelDownloads: number;
  /** Compressed bytes of all layers together. */
  readonly downloadBytes: number;
  /** Decompressed bytes of all layers together. */
  readonly totalBytes: number;
  /**
   * Decompressed bytes of a layer for each compressed byte, from the first 64 MiB of output on. The number is for gzip;
   * for zstd, which can make 32 times as much of a byte, it counts 32 times. By default it is more than either format
   * can make.
   */
  readonly expansionRatio: number;
  /** Bytes that one file may occupy, holes not counted. */
  readonly fileBytes: number;
  /** The size that one file may state, holes counted. */
  readonly apparentFileBytes: number;
  /** Entries of all layers together. */
  readonly entries: number;
  /** Bytes of an entry's path, or of a link's target. */
  readonly pathBytes: number;
  /** Components of an entry's path. */
  readonly pathDepth: number;
  /** Bytes of one pax header, or of one GNU long name. */
  readonly headerBytes: number;
  /** Bytes of a layer's table of contents, compressed and decompressed. A layer with a larger one is read whole. */
  readonly tableBytes: number;
  /** Entries of such a table, chunks counted. */
  readonly tableEntries: number;
  /** Bytes of one entry's extended attributes, names and values together. */
  readonly xattrBytes: number;
  /**
   * What the program may remember of an image at a time: names, attributes, links that wait for their target. The
   * default is enough to export 300,000 files or to list 140,000. The process itself takes about 200 MB more.
   */
  readonly memoryBytes: number;
  /** Data segments of one sparse file. */
  readonly sparseSegments: number;
  /** Bytes other than zero after an archive's end marker. */
  readonly trailingBytes: number;
  /** Megabytes of window, as a power of two in bytes, that a zstd frame may ask for: 27 is 128 MiB. */
  readonly zstdWindowLog: number;
}

/** More than any real image needs, and little enough that no image harms the machine that unpacks it. */
export const defaultLimits: Limits = {
  manifestBytes: 4 * MiB,
  configBytes: 4 * MiB,
  layers: 1000,
  indexDepth: 4,
  referrers: 64,
  referrersPages: 10,
  referrersBytes: 4 * MiB,
  signatures: 32,
  signatureBytes: MiB,
  parallelDownloads: 8,
  downloadBytes: TiB,
  totalBytes: TiB,
  expansionRatio: 1100,
  fileBytes: 512 * GiB,
  apparentFileBytes: 8 * TiB,
  entries: 20_000_000,
  pathBytes: 64 * 1024,
  pathDepth: 2048,
  headerBytes: MiB,
  tableBytes: 64 * MiB,
  tableEntries: 2_000_000,
  xattrBytes: MiB,
  memoryBytes: 80 * MiB,
  sparseSegments: 1_000_000,
  trailingBytes: MiB,
  zstdWindowLog: 27,
};
