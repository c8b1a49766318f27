import { OciUnpackError } from "../base/errors.ts";
import type { LayerCompression } from "../oci/media-type.ts";
import { BLOCK } from "../tar/block-reader.ts";
import { beginsWithHeader } from "../tar/header.ts";

/** Enough to tell a compression by: the first header of an archive, whose name may begin like a magic number. */
export const tellingBytes = BLOCK;

/** The longest magic number of a compression that layers have. */
export const magicBytes = 4;

/**
 * Tells a compression by the first `tellingBytes`, or all bytes there are. What begins with an archive's header is
 * none, for its checksum says more than a magic number. Anything unknown counts as an archive: its reader gives the
 * better error.
 */
export function compressionOf(bytes: Uint8Array): LayerCompression {
  const magic = magicOf(bytes);
  if (magic === "none" || beginsWithHeader(bytes)) return "none";
  if (magic === "gzip" || magic === "zstd") return magic;
  throw new OciUnpackError("UNSUPPORTED_MEDIA_TYPE", `cannot decompress: ${magic} is not a compression of layers`, {
    hint: "gzip, zstd and uncompressed layers are",
  });
}

/** Tells a compression by its magic number alone. */
export function magicOf(bytes: Uint8Array): LayerCompression | "xz" | "bzip2" {
  const magic = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 2 && magic.getUint16(0) === 0x1f8b) return "gzip";
  if (bytes.length < magicBytes) return "none";
  const word = magic.getUint32(0, true);
  if (word === 0xfd2fb528 || word >>> 4 === 0x184d2a5) return "zstd";
  if (word === 0x587a37fd) return "xz";
  return magic.getUint32(0) >>> 8 === 0x425a68 ? "bzip2" : "none";
}
