import type { CompressedInput } from "./compressed-input.ts";
import type { ByteSpace } from "./decompressed-output.ts";
import type { SyncDecompressor } from "./native-zstd.ts";
import {
  blockHeaderBytes,
  checksumBytes,
  kindOfFrame,
  longestHeaderBytes,
  mostBlockBytes,
  parseBlockHeader,
  parseFrameHeader,
} from "./zstd-headers.ts";

/**
 * Passes on what comes of the frames that are next, as far as they are small, are in hand, and fit into the output's space:
 * with few calls for all of them, and without room for a window. Returns whether there was any. If there was none, the next
 * frame is to be decoded block by block, which also says what is wrong with it.
 *
 * zstd:chunked is a frame for each small file, and for each header of the archive: 72,313 of them in 1.36 GB.
 */
export function passSmallFrames(
  input: CompressedInput,
  windowLog: number,
  decompressor: SyncDecompressor,
  output: ByteSpace,
): boolean {
  const bytes = input.peek();
  if (bytes === undefined) return false;
  const ends = endsOfSmallFrames(bytes, windowLog, output.space().length);
  if (ends.length === 0) return false;
  const { readBytes, writtenBytes } = decompressor.frames(bytes, ends, output.space());
  output.commit(writtenBytes);
  input.take(readBytes);
  return readBytes > 0;
}

/** No more than so many bytes of input and of output at a time: a decompressor may have its own memory for them. */
export const mostOfSmallFrames = mostBlockBytes;

/** Larger windows some decompressors refuse, as a power of two. */
const allowedWindowLog = 27;

/** Where each of the frames ends of which `bytes` begins with, as far as they are small and come to `roomBytes` at most. */
function endsOfSmallFrames(bytes: Uint8Array, windowLog: number, roomBytes: number): readonly number[] {
  const ends: number[] = [];
  let room = Math.min(roomBytes, mostOfSmallFrames);
  for (let start = 0; ; ) {
    const frame = smallFrame(bytes, start, windowLog);
    if (frame === undefined || frame.end > mostOfSmallFrames || frame.mostBytes > room) return ends;
    ends.push(frame.end);
    room -= frame.mostBytes;
    start = frame.end;
  }
}

/** Where it ends, and no more bytes than what comes of it. */
interface SmallFrame {
  readonly end: number;
  readonly mostBytes: number;
}

/**
 * The frame that begins at `start`, if it is small and all of it is there. What states its size must fit into its window,
 * and be no more than a block: zstd decodes it without a window then, and would take a larger block than it takes else.
 */
function smallFrame(bytes: Uint8Array, start: number, windowLog: number): SmallFrame | undefined {
  const header = bytes.subarray(start, start + longestHeaderBytes);
  if (kindOfFrame(header) !== "frame") return undefined;
  const { headerBytes, windowBytes, contentBytes, hasChecksum } = parseFrameHeader(header);
  const mostInBlock = Math.min(windowBytes, mostBlockBytes);
  if (windowBytes > 2 ** Math.min(windowLog, allowedWindowLog) || (contentBytes ?? 0) > mostInBlock) return undefined;
  let at = start + headerBytes;
  let mostBytes = 0;
  for (let isLast = false; !isLast; ) {
    if (at + blockHeaderBytes > bytes.length) return undefined;
    const block = parseBlockHeader(bytes.subarray(at, at + blockHeaderBytes));
    if (mostBytes > mostOfSmallFrames || at - start > mostOfSmallFrames) return undefined;
    mostBytes += Math.min(block.mostBytes, mostInBlock);
    at += blockHeaderBytes + block.contentBytes;
    isLast = block.isLast;
  }
  const end = at + (hasChecksum ? checksumBytes : 0);
  return end > bytes.length ? undefined : { end, mostBytes: contentBytes ?? mostBytes };
}
