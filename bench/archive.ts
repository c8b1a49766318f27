import { byteStringOf } from "../src/tar/byte-string.ts";
import { type ArchivedFile, encodedHeader, endMarkerBytes, paddingBytes } from "../src/tar/encoder.ts";
import { pieceBytes } from "./content.ts";

/** The bytes of an archive without its end, in order. */
export type Archive = Iterable<Uint8Array>;

const blank: ArchivedFile = {
  type: "file",
  path: byteStringOf(""),
  linkPath: byteStringOf(""),
  mode: 0o644,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
  deviceMajor: 0,
  deviceMinor: 0,
};

/** An empty file. */
export function emptyFile(path: string): Uint8Array {
  return encodedHeader({ ...blank, path: byteStringOf(path) });
}

export function directory(path: string): Uint8Array {
  return encodedHeader({ ...blank, type: "directory", path: byteStringOf(`${path}/`), mode: 0o755 });
}

export function hardLink(path: string, target: string): Uint8Array {
  return encodedHeader({ ...blank, type: "hardlink", path: byteStringOf(path), linkPath: byteStringOf(target) });
}

/** A file of any size, whose content is asked for piece by piece. */
export function* file(path: string, sizeBytes: number, content: (length: number) => Uint8Array): Archive {
  yield encodedHeader({ ...blank, path: byteStringOf(path), sizeBytes });
  for (let left = sizeBytes; left > 0; left -= pieceBytes) yield content(Math.min(left, pieceBytes));
  yield new Uint8Array(paddingBytes(sizeBytes));
}

/** A file that is mostly holes: `segments` of 4 KiB each, evenly spread, the last of them at the end. */
export function* sparseFile(path: string, sizeBytes: number, segments: number, content: Uint8Array): Archive {
  const length = 4096;
  const step = Math.floor(sizeBytes / segments / length) * length;
  const map = Array.from({ length: segments }, (_, index) => ({ offset: sizeBytes - length - index * step, length }));
  yield encodedHeader({ ...blank, path: byteStringOf(path), sizeBytes, segments: map.reverse() });
  for (let segment = 0; segment < segments; segment += 1) yield content.subarray(0, length);
}

/** One entry after the other, and the end of the archive, in pieces worth a call. */
export function* inPieces(archive: Archive): Generator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of archive) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes < pieceBytes) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    bytes = 0;
  }
  yield Buffer.concat([...pieces, new Uint8Array(endMarkerBytes)]);
}
