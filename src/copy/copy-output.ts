/** Takes the files of a copy. They come one after the other, each complete and verified. */
export interface CopyOutput extends AsyncDisposable {
  /** Where temporary files may be made, for blobs that come before it is their turn. */
  readonly temporaryDirectory: string;
  /** Adds a file, of which `sizeBytes` will come. */
  add(path: string, sizeBytes: number, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>;
  /** Makes the copy appear. Disposing of an output that was not committed leaves nothing behind. */
  commit(): Promise<void>;
}
