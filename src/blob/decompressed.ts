import { limitExceeded, OciUnpackError } from "../base/errors.ts";
import type { WarningCode } from "../base/events.ts";
import type { LayerCompression } from "../oci/media-type.ts";
import { type CompressedInput, compressionOf, magicBytes, magicOf, tellingBytes } from "./compressed-input.ts";
import { copyAll, type DecompressedOutput } from "./decompressed-output.ts";
import { FramesAhead } from "./frames-ahead.ts";
import { GatheredOutput } from "./gathered-output.ts";
import { type GzipChecksum, gunzipMember } from "./gzip.ts";
import { stepThrough } from "./native-zstd.ts";
import { PiecesAhead } from "./pieces-ahead.ts";
import type { ReadAhead } from "./read-ahead.ts";
import { passSmallFrames } from "./small-frames.ts";
import { zstdDecompressor } from "./zstd.ts";
import { passFrame } from "./zstd-frame.ts";

interface DecompressOptions {
  /** The compression by the media type, if that states one. */
  readonly expected: LayerCompression | undefined;
  readonly strict: boolean;
  readonly zstdWindowLog: number;
  /** Bytes other than zeros that may follow the compressed data. */
  readonly trailingBytes: number;
  readonly warning: (code: WarningCode, message: string) => void;
  /** Given to verify gzip's checksums; it gets all decompressed bytes. */
  readonly checksum?: GzipChecksum;
  /** Given if other threads decode parts of the input, which comes from there. */
  readonly ahead?: ReadAhead;
}

/**
 * Decompresses a whole layer into `output` and reads the input to its end.
 *
 * The bytes decide which compression it is: media types are often wrong, and the diffID proves the result in any case.
 */
export function decompress(input: CompressedInput, output: DecompressedOutput, options: DecompressOptions): void {
  const found = compressionOf(input.peekAtLeast(tellingBytes));
  if (options.expected !== undefined && found !== options.expected && input.peek() !== undefined) {
    repair(options, "MEDIA_TYPE_DISAGREES", `the media type says ${options.expected}, the bytes are ${found}`);
  }
  if (found === "gzip") return gunzip(input, output, options);
  if (found === "zstd") return unzstd(input, output, options);
  for (let chunk = input.peek(); chunk !== undefined; chunk = input.peek()) {
    copyAll(chunk, output);
    input.take(chunk.length);
  }
}

function gunzip(input: CompressedInput, output: DecompressedOutput, options: DecompressOptions): void {
  const ahead = options.ahead && new PiecesAhead(options.ahead);
  throughParts("gzip", input, options, () => gunzipMember(input, output, { ...options, ahead }));
  ahead?.close();
}

function unzstd(input: CompressedInput, output: DecompressedOutput, options: DecompressOptions): void {
  output.raiseRatio(zstdExpansion);
  const { zstdWindowLog } = options;
  const ahead = options.ahead && new FramesAhead(options.ahead, zstdWindowLog);
  const decompressor = zstdDecompressor(zstdWindowLog);
  const gathered = new GatheredOutput(output);
  input.beforeReading = () => gathered.handOn();
  try {
    throughParts("zstd", input, options, () => {
      if (ahead?.pass(input, gathered) === true) return;
      if (passSmallFrames(input, zstdWindowLog, decompressor, gathered)) return;
      passFrame(input, zstdWindowLog, (bytes) => stepThrough(decompressor, bytes, gathered));
    });
  } finally {
    decompressor.close();
    gathered.handOn();
  }
  ahead?.close();
}

/** Decompresses all gzip members, or all zstd frames, as one stream. */
function throughParts(
  kind: LayerCompression,
  input: CompressedInput,
  options: DecompressOptions,
  decompressPart: () => void,
): void {
  decompressPart();
  while (skipZeros(input)) {
    if (magicOf(input.peekAtLeast(magicBytes)) !== kind) return ignoreTrailingBytes(input, options);
    decompressPart();
  }
}

/** Skips zeros, which are common between and after gzip members. Returns whether anything else follows. */
function skipZeros(input: CompressedInput): boolean {
  for (let chunk = input.peek(); chunk !== undefined; chunk = input.peek()) {
    const zeros = chunk.findIndex((byte) => byte !== 0);
    if (zeros >= 0) {
      input.take(zeros);
      return true;
    }
    input.take(chunk.length);
  }
  return false;
}

function ignoreTrailingBytes(input: CompressedInput, options: DecompressOptions): void {
  const start = input.takenBytes;
  repair(options, "TRAILING_BYTES", `something follows the compressed data at byte ${start}`);
  for (let chunk = input.peek(); chunk !== undefined; chunk = input.peek()) {
    input.take(chunk.length);
    if (input.takenBytes - start > options.trailingBytes) {
      const allowed = options.trailingBytes;
      const message = `cannot decompress: more than ${allowed} bytes follow the compressed data (trailingBytes)`;
      throw limitExceeded(message, "trailingBytes", { allowed });
    }
  }
}

function repair(options: DecompressOptions, code: WarningCode, message: string): void {
  if (options.strict) throw new OciUnpackError("STRICT_VIOLATION", `cannot decompress: ${message}`);
  options.warning(code, message);
}

/**
 * How many times more than with deflate a compressed byte can stand for: a block of four bytes repeats one byte 131,072
 * times (RFC 8878, section 3.1.1.2.2); four bytes of deflate data stand for about 4,128.
 */
const zstdExpansion = 32;
