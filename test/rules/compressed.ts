import { crc32, deflateRawSync } from "node:zlib";
import { joined } from "../support/tar-header.ts";

/** A gzip member whose header has every optional field (RFC 1952, section 2.3). */
export function gzipWithAllFields(content: Uint8Array): Uint8Array {
  const [checkHeader, extra, name, comment] = [2, 4, 8, 16];
  const flags = checkHeader | extra | name | comment;
  const fixed = Uint8Array.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255);
  const subfield = joined("SG", little(2, 2), "ab");
  const header = joined(fixed, little(subfield.length, 2), subfield, "layer.tar\0", "a comment\0");
  const trailer = joined(little(crc32(content), 4), little(content.length, 4));
  return joined(header, little(crc32(header) & 0xffff, 2), deflateRawSync(content), trailer);
}

/** A zstd frame of uncompressed blocks that asks for a window of `2 ** windowLog` bytes (RFC 8878, section 3.1.1). */
export function zstdFrame(content: Uint8Array, windowLog = 17): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let start = 0; start === 0 || start < content.length; start += blockBytes) {
    const block = content.subarray(start, start + blockBytes);
    const isLast = start + blockBytes >= content.length;
    blocks.push(little((block.length << 3) | (isLast ? 1 : 0), 3), block);
  }
  return joined(little(0xfd2fb528, 4), Uint8Array.of(0, (windowLog - 10) << 3), ...blocks);
}

const blockBytes = 64 * 1024;

/** A zstd frame that decoders pass over (RFC 8878, section 3.1.2). */
export function zstdSkippableFrame(content: Uint8Array): Uint8Array {
  return joined(little(0x184d2a50, 4), little(content.length, 4), content);
}

function little(value: number, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, index) => Math.floor(value / 256 ** index) & 0xff);
}
