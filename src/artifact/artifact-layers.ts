import type { ArtifactFile } from "../image/artifact-files.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { encodedHeader, endMarkerBytes, paddingBytes } from "../tar/encoder.ts";
import type { NumberedLayer } from "../worker/messages.ts";

/** What the threads need to know of an artifact's layers. `layers` are those of the manifest, which count them. */
export function numberedFiles(
  files: readonly ArtifactFile[],
  layers: readonly Descriptor[],
): readonly (NumberedLayer & { readonly file: ArtifactFile })[] {
  return files.map((file) => {
    const { name, form, descriptor, compression, contentDigest } = file;
    const layer = { number: layers.indexOf(descriptor), file, compressedBytes: descriptor.sizeBytes };
    if (form === "file") return { ...layer, compression: "none", diffID: undefined };
    return { ...layer, compression, diffID: contentDigest, below: name };
  });
}

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
