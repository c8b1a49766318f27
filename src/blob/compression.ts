import { OciUnpackError } from "../errors.ts";
import type { LayerCompression } from "../oci/media-type.ts";

/** Tells a compression by its magic number. Anything unknown counts as an archive: its reader gives the better error. */
export function compressionOf(bytes: Uint8Array): LayerCompression {
  const magic = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 2 && magic.getUint16(0) === 0x1f8b) return "gzip";
  if (bytes.length < 4) return "none";
  const word = magic.getUint32(0, true);
  if (word === 0xfd2fb528 || word >>> 4 === 0x184d2a5) return "zstd";
  const unsupported = word === 0x587a37fd ? "xz" : magic.getUint32(0) >>> 8 === 0x425a68 ? "bzip2" : undefined;
  if (unsupported !== undefined) {
    throw new OciUnpackError(
      "UNSUPPORTED_MEDIA_TYPE",
      `cannot decompress: ${unsupported} is not a compression of layers`,
      {
        hint: "gzip, zstd and uncompressed layers are",
      },
    );
  }
  return "none";
}
