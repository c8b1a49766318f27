import { OciUnpackError } from "../base/errors.ts";
import type { LayerCompression } from "../oci/media-type.ts";
import { BLOCK } from "../tar/block-reader.ts";
import { beginsWithHeader } from "../tar/header.ts";

/**
 * How many bytes tell the compression: a whole header of an archive, because its first bytes may look like a magic
 * number.
 */
export const tellingBytes = BLOCK;

/** The length of the longest magic number of a layer's compression. */
export const magicBytes = 4;

/**
 * The compression of a layer, by its first `tellingBytes` bytes, or all of them if there are fewer.
 *
 * If they are the header of an archive there is none: the header's checksum is stronger than a magic number. Unknown
 * bytes count as an archive, because the decoder of archives reports the error better.
 */
export function compressionOf(bytes: Uint8Array): LayerCompression {
  const magic = magicOf(bytes);
  if (magic === "none" || beginsWithHeader(bytes)) return "none";
  if (magic === "gzip" || magic === "zstd") return magic;
  throw new OciUnpackError("UNSUPPORTED_MEDIA_TYPE", `cannot decompress: ${magic} is not a compression of layers`, {
    hint: "gzip, zstd and uncompressed layers are supported",
  });
}

/** The compression by the magic number alone. */
export function magicOf(bytes: Uint8Array): LayerCompression | "xz" | "bzip2" {
  const magic = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 2 && magic.getUint16(0) === 0x1f8b) return "gzip";
  if (bytes.length < magicBytes) return "none";
  const word = magic.getUint32(0, true);
  if (word === 0xfd2fb528 || word >>> 4 === 0x184d2a5) return "zstd";
  if (word === 0x587a37fd) return "xz";
  return magic.getUint32(0) >>> 8 === 0x425a68 ? "bzip2" : "none";
}
