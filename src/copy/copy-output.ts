/** Where the files of a copy go. They come one after the other, each whole and verified. */
export interface CopyOutput extends AsyncDisposable {
  /** Where blobs that arrive before their turn may wait, in files without names. */
  readonly temporaryDirectory: string;
  /** Adds a file of a stated size. */
  add(path: string, sizeBytes: number, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>;
  /** Makes it all appear. Disposing of an output that was not committed leaves nothing behind. */
  commit(): Promise<void>;
}
