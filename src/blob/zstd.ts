import { nativeZstd, type SyncDecompressor } from "./native-zstd.ts";
import { zstdInWebAssembly } from "./zstd-in-web-assembly.ts";

/**
 * A decompressor of Zstandard frames (RFC 8878) with windows of up to `2 ** windowLog` bytes: Node's own, or zstd's in
 * WebAssembly where Node has none.
 */
export function zstdDecompressor(windowLog: number): SyncDecompressor {
  return nativeZstd(windowLog) ?? zstdInWebAssembly();
}
