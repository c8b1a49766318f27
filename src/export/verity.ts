import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { fileSystemError } from "../base/system-error.ts";
import { type Digest, encodedOf } from "../oci/digest.ts";

/** What a kernel has to know to verify each block of a file system that it reads (dm-verity). */
export interface Verity {
  /** The digest that stands for all blocks, in hexadecimal. Whoever knows it can trust the file system. */
  readonly rootHash: string;
  /** In hexadecimal. It comes from the image's digest, so that the same image has the same root hash. */
  readonly salt: string;
  /** Where the superblock of the hash tree is, in bytes: behind the data, or 0 in a file of its own. */
  readonly hashOffsetBytes: number;
  /** How many blocks of 4096 bytes are verified. */
  readonly dataBlocks: number;
}

/** The files of a file system and of its hash tree, which may be the same one, and what they are made of. */
export interface VerityPlan {
  readonly data: string;
  readonly hashes: string;
  readonly digest: Digest;
  /** The file system's UUID: the hash tree has the same. */
  readonly uuid: string;
  readonly signal: AbortSignal;
}

const blockBytes = 4096;
const hashBytes = 32;
const hashesInBlock = blockBytes / hashBytes;

/** So many blocks are read at once. Their hashes fill whole blocks. */
const blocksAtOnce = 2 * hashesInBlock;

/**
 * Makes the hash tree of a file system, as `veritysetup format` does: SHA-256, blocks of 4 KiB, hash type 1. The file system
 * is filled up to a whole block. Memory does not grow with it.
 *
 * Throws `FILE_SYSTEM`, or the reason of the signal.
 */
export async function makeHashTree(plan: VerityPlan): Promise<Verity> {
  try {
    await using data = await open(plan.data, "r+");
    if (plan.hashes === plan.data) return await hashTree(plan, data, data);
    await using hashes = await open(plan.hashes, "r+");
    return await hashTree(plan, data, hashes);
  } catch (error) {
    plan.signal.throwIfAborted();
    throw fileSystemError(error, `make the hash tree of "${plan.data}"`);
  }
}

async function hashTree(plan: VerityPlan, data: FileHandle, hashes: FileHandle): Promise<Verity> {
  const salt = Buffer.from(encodedOf(plan.digest), "hex");
  const dataBlocks = Math.ceil((await data.stat()).size / blockBytes);
  await data.truncate(dataBlocks * blockBytes);
  const hashOffsetBytes = hashes === data ? dataBlocks * blockBytes : 0;
  const superblock = { uuid: plan.uuid, dataBlocks, salt };
  await hashes.write(superblockOf(superblock), 0, blockBytes, hashOffsetBytes);
  const levels = levelsOf(dataBlocks, hashOffsetBytes + blockBytes);
  let below: BlockRange = { file: data, offset: 0, blocks: dataBlocks };
  for (const level of levels) {
    await hashBlocks(below, { file: hashes, offset: level.offset }, salt, plan.signal);
    below = { file: hashes, ...level };
  }
  const top = await readBlocks(below, 0, 1);
  return { rootHash: saltedHash(salt, top).toString("hex"), salt: salt.toString("hex"), hashOffsetBytes, dataBlocks };
}

/** The levels of hashes above so many blocks, the lowest first. They lie in the file with the highest first. */
function levelsOf(dataBlocks: number, offset: number): readonly Pick<BlockRange, "offset" | "blocks">[] {
  const counts: number[] = [];
  for (let blocks = dataBlocks; blocks > 1; ) {
    blocks = Math.ceil(blocks / hashesInBlock);
    counts.push(blocks);
  }
  return counts.map((blocks, level) => {
    const above = counts.slice(level + 1).reduce((sum, count) => sum + count, 0);
    return { offset: offset + above * blockBytes, blocks };
  });
}

interface BlockRange {
  readonly file: FileHandle;
  /** Of its first block, in bytes. */
  readonly offset: number;
  readonly blocks: number;
}

/** Writes the hash of each block, and zeros up to the end of the last block of hashes. */
async function hashBlocks(
  from: BlockRange,
  to: Pick<BlockRange, "file" | "offset">,
  salt: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  for (let first = 0; first < from.blocks; first += blocksAtOnce) {
    signal.throwIfAborted();
    const count = Math.min(blocksAtOnce, from.blocks - first);
    const blocks = await readBlocks(from, first, count);
    const hashes = Buffer.alloc(Math.ceil(count / hashesInBlock) * blockBytes);
    for (let index = 0; index < count; index += 1) {
      const block = blocks.subarray(index * blockBytes, (index + 1) * blockBytes);
      saltedHash(salt, block).copy(hashes, index * hashBytes);
    }
    await to.file.write(hashes, 0, hashes.length, to.offset + first * hashBytes);
  }
}

async function readBlocks({ file, offset }: BlockRange, first: number, count: number): Promise<Buffer> {
  const bytes = Buffer.alloc(count * blockBytes);
  const position = offset + first * blockBytes;
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) throw new RangeError("the file became shorter while it was read");
    done += bytesRead;
  }
  return bytes;
}

function saltedHash(salt: Uint8Array, block: Uint8Array): Buffer {
  return createHash("sha256").update(salt).update(block).digest();
}

interface Superblock extends Pick<Verity, "dataBlocks"> {
  readonly uuid: string;
  readonly salt: Uint8Array;
}

/** The superblock (cryptsetup, "DM-Verity on-disk format"), in a block of its own. */
function superblockOf({ uuid, dataBlocks, salt }: Superblock): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write("verity\0\0", 0, "latin1");
  block.writeUInt32LE(1, 8); // version
  block.writeUInt32LE(1, 12); // hash type: the salt goes first
  Buffer.from(uuid.replaceAll("-", ""), "hex").copy(block, 16);
  block.write("sha256", 32, "latin1");
  block.writeUInt32LE(blockBytes, 64);
  block.writeUInt32LE(blockBytes, 68);
  block.writeBigUInt64LE(BigInt(dataBlocks), 72);
  block.writeUInt16LE(salt.length, 80);
  block.set(salt, 88);
  return block;
}
