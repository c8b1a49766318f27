import { OciUnpackError } from "../base/errors.ts";
import { nodeZlib } from "../base/on-demand.ts";
import type { CompressedInput } from "./compressed-input.ts";
import type { DecompressedOutput } from "./decompressed-output.ts";
import { inflate } from "./inflate.ts";
import type { PiecesAhead } from "./pieces-ahead.ts";

const FHCRC = 0x02;
const FEXTRA = 0x04;
const FNAME = 0x08;
const FCOMMENT = 0x10;
const RESERVED = 0xe0;

/** Computes the checksums of gzip members, for data that has no digest. */
export class GzipChecksum {
  readonly #crc32 = nodeZlib().crc32;
  #crc = 0;

  update(bytes: Uint8Array): void {
    this.#crc = this.#crc32(bytes, this.#crc);
  }

  /** Returns the checksum of a member that has ended. */
  end(): number {
    const crc = this.#crc;
    this.#crc = 0;
    return crc;
  }
}

/**
 * Decompresses one gzip member (RFC 1952), header and trailer included.
 *
 * The CRC in the trailer is verified only with a `checksum`: for a layer the diffID verifies the same bytes with a
 * better hash. The length in the trailer is always compared, which takes no time.
 */
export function gunzipMember(
  input: CompressedInput,
  output: DecompressedOutput,
  { checksum, ahead }: { readonly checksum?: GzipChecksum; readonly ahead?: PiecesAhead | undefined } = {},
): void {
  skipHeader(input);
  const before = output.writtenBytes;
  inflate(input, output, ahead);
  const crc = readWord(input);
  if (checksum !== undefined && checksum.end() !== crc) {
    throw new OciUnpackError("CORRUPT_LAYER", "cannot decompress: a gzip member is not what its checksum states");
  }
  const length = readWord(input);
  if (length !== (output.writtenBytes - before) % 2 ** 32) {
    throw new OciUnpackError(
      "CORRUPT_LAYER",
      "cannot decompress: a gzip member's length is not the one its trailer states",
    );
  }
}

function skipHeader(input: CompressedInput): void {
  const id1 = input.byte();
  const id2 = input.byte();
  const method = input.byte();
  const flags = input.byte();
  if (id1 !== 0x1f || id2 !== 0x8b || method !== 8 || (flags & RESERVED) !== 0) {
    throw new OciUnpackError("CORRUPT_LAYER", "cannot decompress: a gzip header is malformed");
  }
  skip(input, 6); // modification time, extra flags, operating system
  if (flags & FEXTRA) skip(input, input.byte() + 256 * input.byte());
  if (flags & FNAME) skipText(input);
  if (flags & FCOMMENT) skipText(input);
  if (flags & FHCRC) skip(input, 2);
}

function readWord(input: CompressedInput): number {
  return input.byte() + input.byte() * 2 ** 8 + input.byte() * 2 ** 16 + input.byte() * 2 ** 24;
}

function skip(input: CompressedInput, length: number): void {
  for (let skipped = 0; skipped < length; skipped += 1) input.byte();
}

function skipText(input: CompressedInput): void {
  while (input.byte() !== 0) {
    // A name or comment ends with its first zero byte.
  }
}
