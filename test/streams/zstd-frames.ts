import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Random } from "../model/random.ts";
import { body, bodyNames } from "./bodies.ts";
import { bufferEnds, near } from "./boundaries.ts";
import type { Stream } from "./stream.ts";

const blockHeaderBytes = 3;
const RAW = 0;
const REPEATED = 1;
const mostBlockBytes = 128 * 1024;

interface Block {
  readonly kind: number;
  readonly content: Buffer;
  readonly encoded: Buffer;
}

/** Multiples of what a block may hold, and of what is decompressed at a time. */
export const frameEnds = [1, 2, 4].map((blocks) => blocks * mostBlockBytes).concat(bufferEnds.output[0]);

let ofTheTool: readonly Stream[] | undefined;

/** Whole frames of the tool `zstd`, with their checksums, of sizes around the ends of buffers. */
export function toolFrames(): readonly Stream[] {
  ofTheTool ??= compressedByZstd(
    bodyNames.flatMap((name, index) =>
      [near, ...frameEnds].flatMap((end) =>
        Array.from({ length: 9 }, (_, step) => body(name, end - near + step * 8 + index)),
      ),
    ),
  );
  return ofTheTool;
}

let smallOnesOfTheTool: readonly Stream[] | undefined;

/** Frames of the tool `zstd` for small files: with and without the size of their content, or a checksum. */
export function smallToolFrames(): readonly Stream[] {
  smallOnesOfTheTool ??= [["--content-size"], ["--no-content-size"], ["--no-check"], ["-19"]].flatMap((options) =>
    compressedByZstd(
      bodyNames.flatMap((name) => [0, 1, 90, 512, 700, 3000, 20_000, 131_072].map((length) => body(name, length))),
      ...options,
    ),
  );
  return smallOnesOfTheTool;
}

let ends: readonly Block[] | undefined;

/** Blocks of all kinds with which a frame may end. */
export function lastBlocks(): readonly Block[] {
  ends ??= [
    ...compressedBlocks(),
    ...bodyNames.map((name) => rawBlock(body(name, 10 * name.length))),
    ...[1, 2, 77, 1000].map(repeatedByte),
    rawBlock(nothing),
  ];
  return ends;
}

/** A frame of that many bytes, or a few more, that ends with such a block. */
export function frameOfSize(bytes: number, last: Block, random: Random): Stream {
  const blocks: Block[] = [];
  for (let left = bytes - last.content.length; left > 0; ) {
    const length = Math.min(left, random.chance(0.9) ? mostBlockBytes : 1 + random.below(mostBlockBytes));
    blocks.push(random.chance(0.8) ? repeatedByte(length) : rawBlock(body(random.oneOf(bodyNames), length)));
    left -= length;
  }
  return frameOf([...blocks, last]);
}

/** A frame that ends around the end of a buffer, in blocks of all kinds. */
export function randomFrame(random: Random): Stream {
  const bytes = random.oneOf([near, ...frameEnds]) - near + random.below(2 * near + 1);
  return frameOfSize(bytes, random.oneOf(lastBlocks()), random);
}

/** A small frame, or a skippable one. */
export function smallFrame(random: Random): Stream {
  if (random.chance(0.1)) return skippableFrame(random.below(300));
  return frameOfSize(random.below(random.oneOf([10, 1000, 30_000])), random.oneOf(lastBlocks()), random);
}

/** A frame of which nothing comes (RFC 8878, section 3.1.2). */
function skippableFrame(length: number): Stream {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a50 + (length % 16));
  header.writeUInt32LE(length, 4);
  const compressed = Buffer.concat([header, body("noise", length)]);
  return { name: `skippable frame of ${length}`, compressed, content: nothing, end: compressed.length };
}

/** A frame that holds bytes as they are, for machines where nobody compresses with zstd. */
export function storedFrame(bytes: Uint8Array): Buffer {
  const content = Buffer.from(bytes);
  const blocks: Block[] = [];
  for (let start = 0; start < content.length; start += mostBlockBytes) {
    blocks.push(rawBlock(content.subarray(start, start + mostBlockBytes)));
  }
  return frameOf(blocks.length > 0 ? blocks : [rawBlock(nothing)]).compressed;
}

/** A frame of so many zeros. */
export function repeatedFrame(length: number): Buffer {
  return frameOf([repeatedByte(length)]).compressed;
}

const nothing = Buffer.alloc(0);

/** What the tool `zstd` makes of contents: all of them by one process, which takes longer to start than to compress. */
function compressedByZstd(contents: readonly Buffer[], ...options: readonly string[]): Stream[] {
  const directory = mkdtempSync(join(tmpdir(), "oci-unpack-zstd-"));
  try {
    const paths = contents.map((_, index) => join(directory, String(index)));
    for (const [index, path] of paths.entries()) writeFileSync(path, contents[index] ?? nothing);
    execFileSync("zstd", ["-q", ...options, ...paths]);
    return contents.map((content, index) => {
      const compressed = readFileSync(join(directory, `${index}.zst`));
      return { name: `zstd of ${content.length}`, compressed, content, end: compressed.length };
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * Blocks that can stand at any place in a frame: the only block of a frame each, so that they refer to nothing before them.
 * What is before them in their new place may only be such that has no sequences: then the offsets they repeat are the same.
 */
function compressedBlocks(): Block[] {
  const contents = bodyNames.flatMap((name) => [7, 20, 33, 64, 100, 300, 1000].map((length) => body(name, length)));
  return compressedByZstd(contents, "--no-check").map(({ compressed, content }) => {
    const start = headerBytesOf(compressed);
    const kind = ((compressed[start] ?? 0) >> 1) & 3;
    return { kind, content, encoded: compressed.subarray(start + blockHeaderBytes) };
  });
}

/** Magic number, descriptor, window and content size (RFC 8878, section 3.1.1.1); there is no dictionary. */
function headerBytesOf(frame: Uint8Array): number {
  const descriptor = frame[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return 5 + (isSingleSegment ? 0 : 1) + sizeBytes;
}

function rawBlock(content: Buffer): Block {
  return { kind: RAW, content, encoded: content };
}

function repeatedByte(length: number): Block {
  return { kind: REPEATED, content: body("zeros", length), encoded: Buffer.from([0]) };
}

/** A frame of these blocks (RFC 8878, section 3.1.1), of which at most the last may be a compressed one. */
function frameOf(blocks: readonly Block[]): Stream {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (18 - 10) << 3]);
  const encoded = blocks.map((block, index) => {
    const isLast = index === blocks.length - 1;
    // A repeated byte states how often, the others how long they are.
    const size = block.kind === REPEATED ? block.content.length : block.encoded.length;
    const head = Buffer.alloc(blockHeaderBytes);
    head.writeUIntLE((size << 3) | (block.kind << 1) | Number(isLast), 0, blockHeaderBytes);
    return Buffer.concat([head, block.encoded]);
  });
  const compressed = Buffer.concat([header, ...encoded]);
  const content = Buffer.concat(blocks.map((block) => block.content));
  return {
    name: `zstd frame of ${content.length}, ${blocks.length} blocks`,
    compressed,
    content,
    end: compressed.length,
  };
}
