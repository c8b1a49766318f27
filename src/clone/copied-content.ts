import { nextData, nextHole, readSomeAt, setSize, writeSomeAt } from "../linux/content.ts";
import { errnos } from "../linux/errno.ts";
import { failure } from "../rootfs/failure.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { TreeChanged, unchanged } from "./kept-source.ts";
import type { ListedFile } from "./tree-list.ts";

/** As much as is read and written at a time. */
const chunk = new Uint8Array(1024 * 1024);

/** The data of an open file that fits into one chunk, valid until the next call. */
export function smallContent(file: number, { sizeBytes, isSparse, name }: ListedFile): Uint8Array | undefined {
  if (sizeBytes > chunk.length || isSparse) return undefined;
  for (let bytes = 0; bytes < sizeBytes; ) {
    const read = unchanged(readSomeAt(file, chunk.subarray(bytes, sizeBytes), bytes), name, "pread");
    if (read === 0) throw new TreeChanged("a file ends early");
    bytes += read;
  }
  return chunk.subarray(0, sizeBytes);
}

/** Writes data at a place of a new file. */
export function writeAt(file: number, data: Uint8Array, offset: number, name: ByteString): void {
  for (let done = 0; done < data.length; ) {
    const written = writeSomeAt(file, data.subarray(done), offset + done);
    // A file system that neither writes nor complains would keep us here for ever.
    if (written <= 0) throw failure("write", name, "pwrite", written === 0 ? -errnos.EIO : written);
    done += written;
  }
}

/**
 * Copies the data of an open file to a new one, and leaves holes where it has some. `goOn` is called before each chunk,
 * and may throw.
 */
export function copyContent(from: number, to: number, listed: ListedFile, goOn: () => void): void {
  const { sizeBytes, isSparse, name } = listed;
  for (let at = 0; at < sizeBytes; ) {
    const start = isSparse ? unchanged(nextData(from, at), name, "lseek(SEEK_DATA)") : at;
    if (start >= sizeBytes) break;
    const end = isSparse ? unchanged(nextHole(from, start), name, "lseek(SEEK_HOLE)") : sizeBytes;
    for (at = start; at < end; ) {
      goOn();
      const read = unchanged(readSomeAt(from, chunk.subarray(0, end - at), at), name, "pread");
      if (read === 0) throw new TreeChanged("a file ends early");
      writeAt(to, chunk.subarray(0, read), at, name);
      at += read;
    }
  }
  if (!isSparse) return;
  const result = setSize(to, sizeBytes);
  if (result < 0) throw failure("write", name, "ftruncate", result);
}
