import type { ArtifactFile } from "../image/artifact-files.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { encodedHeader, endMarkerBytes, paddingBytes } from "../tar/encoder.ts";

/**
 * A blob as an archive that has it as its only file: so files of artifacts come the way that all files do.
 *
 * Its path begins with `./`, so that no name can make it look compressed.
 */
export async function* archiveOfFile(
  { name, descriptor: { sizeBytes } }: ArtifactFile,
  seconds: number,
  blob: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield encodedHeader({
    type: "file",
    path: byteStringOf(`./${name}`),
    linkPath: byteStringOf(""),
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes,
    mtime: { seconds, nanoseconds: 0 },
    deviceMajor: 0,
    deviceMinor: 0,
  });
  yield* blob;
  yield new Uint8Array(paddingBytes(sizeBytes) + endMarkerBytes);
}
