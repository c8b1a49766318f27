import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BLOCK_HEADER_BYTES, CHECKSUM_BYTES, parseBlockHeader, parseHeader } from "../../src/blob/zstd-headers.ts";
import type { Random } from "../model/random.ts";
import { body, bodyNames } from "./bodies.ts";
import { bufferEnds, near } from "./boundaries.ts";
import type { Stream } from "./stream.ts";

const RAW = 0;
const REPEATED = 1;
const mostBlockBytes = 128 * 1024;

interface Block {
  readonly kind: number;
  readonly content: Buffer;
  readonly encoded: Buffer;
}

let ofTheTool: Stream[] | undefined;

/** Whole frames of the tool `zstd`, with their checksums, of sizes around the ends of buffers. */
export function toolFrames(): readonly Stream[] {
  ofTheTool ??= bodyNames.flatMap((name, index) =>
    [0, mostBlockBytes, 2 * mostBlockBytes, bufferEnds.output[0]].flatMap((end) => {
      const lengths = Array.from({ length: 9 }, (_, step) => Math.max(0, end - near + step * 8 + index));
      return compressedByZstd(lengths.map((length) => body(name, length)));
    }),
  );
  return ofTheTool;
}

let blocksOfTheTool: Block[] | undefined;

/** A frame that ends around the end of a buffer, in blocks of all kinds. */
export function randomFrame(random: Random): Stream {
  blocksOfTheTool ??= compressedBlocks();
  const last = random.oneOf([
    random.oneOf(blocksOfTheTool),
    rawBlock(body(random.oneOf(bodyNames), random.below(100))),
    repeatedByte(1 + random.below(1000)),
    rawBlock(nothing),
  ]);
  const end = random.oneOf([0, mostBlockBytes, 2 * mostBlockBytes, bufferEnds.output[0], 4 * mostBlockBytes]);
  const beforeBytes = end - last.content.length - near + random.below(2 * near + 1);
  const blocks: Block[] = [];
  for (let left = beforeBytes; left > 0; ) {
    const length = Math.min(left, random.chance(0.9) ? mostBlockBytes : 1 + random.below(mostBlockBytes));
    blocks.push(random.chance(0.8) ? repeatedByte(length) : rawBlock(body(random.oneOf(bodyNames), length)));
    left -= length;
  }
  return frameOf([...blocks, last]);
}

const nothing = Buffer.alloc(0);

/** What the tool `zstd` makes of contents: all of them by one process, which takes longer to start than to compress. */
function compressedByZstd(contents: readonly Buffer[], ...options: readonly string[]): Stream[] {
  const directory = mkdtempSync(join(tmpdir(), "oci-unpack-zstd-"));
  try {
    const paths = contents.map((content, index) => {
      const path = join(directory, String(index));
      writeFileSync(path, content);
      return path;
    });
    let rest: Buffer = execFileSync("zstd", ["-q", "-c", ...options, ...paths], { maxBuffer: 2 ** 30 });
    return contents.map((content) => {
      const compressed = rest.subarray(0, frameBytes(rest));
      rest = rest.subarray(compressed.length);
      return { name: `zstd of ${content.length}`, compressed, content, end: compressed.length };
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function frameBytes(frames: Buffer): number {
  const { headerBytes, hasChecksum } = parseHeader(frames);
  let length = headerBytes;
  for (let isLast = false; !isLast; ) {
    const block = parseBlockHeader(frames.subarray(length));
    length += BLOCK_HEADER_BYTES + block.contentBytes;
    isLast = block.isLast;
  }
  return length + (hasChecksum ? CHECKSUM_BYTES : 0);
}

/**
 * Blocks that can stand at any place in a frame: the only block of a frame each, so that they refer to nothing before them.
 * What is before them in their new place may only be such that has no sequences: then the offsets they repeat are the same.
 */
function compressedBlocks(): Block[] {
  const contents = bodyNames.flatMap((name) => [7, 20, 33, 64, 100, 300, 1000].map((length) => body(name, length)));
  return compressedByZstd(contents, "--no-check").map(({ compressed, content }) => {
    const { headerBytes } = parseHeader(compressed);
    const kind = ((compressed[headerBytes] ?? 0) >> 1) & 3;
    return { kind, content, encoded: compressed.subarray(headerBytes + BLOCK_HEADER_BYTES) };
  });
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
    const head = Buffer.alloc(BLOCK_HEADER_BYTES);
    head.writeUIntLE((size << 3) | (block.kind << 1) | Number(isLast), 0, BLOCK_HEADER_BYTES);
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
