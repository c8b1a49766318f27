/** A file of an image that lies on this machine. */
export interface StoredFile {
  readonly sizeBytes: number;
  /** The bytes from the first to the last. A chunk is never written to again. */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The files of an image that lies on this machine, in a directory or in an archive. */
export interface Files extends AsyncDisposable {
  /** For messages. */
  readonly name: string;
  /** The regular file of that name, `undefined` where there is none. Names are relative, with slashes, and never lead out. */
  open(name: string): Promise<StoredFile | undefined>;
}

/** Gives the files when they are open. A signal ends one's own waiting, not the opening that others may wait for too. */
export type OpenFiles = (signal?: AbortSignal) => Promise<Files>;

/** How much is read at a time. */
export const readBytes = 256 * 1024;
