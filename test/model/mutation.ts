import type { Random } from "./random.ts";

const BLOCK = 512;

/** Damages an archive the way bad luck and bad will do: bits, whole fields, blocks that are lost, doubled or swapped. */
export function mutated(archive: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(archive);
  for (let count = 1 + random.below(4); count > 0; count--) bytes = mutatedOnce(bytes, random);
  return random.chance(0.7) ? withChecksums(bytes) : bytes;
}

function mutatedOnce(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return bytes;
  const offset = random.below(bytes.length);
  const block = Math.floor(offset / BLOCK) * BLOCK;
  switch (random.below(6)) {
    case 0:
      return bytes.with(offset, random.below(256));
    case 1:
      return bytes.slice(0, offset);
    case 2:
      return concatenated(bytes.subarray(0, block), bytes.subarray(block + BLOCK));
    case 3:
      return concatenated(bytes.subarray(0, block + BLOCK), bytes.subarray(block));
    case 4:
      return replaced(bytes, block + random.oneOf(fields), random.oneOf(values));
    default:
      return replaced(
        bytes,
        offset,
        Uint8Array.from({ length: random.below(64) }, () => random.below(256)),
      );
  }
}

/** Where a header's size, type, link, uid, mode, mtime, magic and GNU fields begin. */
const fields = [0, 100, 108, 116, 124, 136, 156, 157, 257, 345, 386, 482, 483];

const text = (value: string) => new TextEncoder().encode(value);

/** What readers have stumbled over. */
const values = [
  text("77777777777\0"),
  text("-1"),
  text("           \0"),
  text("99999999999999999999"),
  Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  new Uint8Array(12).fill(0xff),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe),
  ...["x", "g", "L", "K", "S", "1", "2", "5", "7", "D", "\0"].map(text),
  ...["../", "/", "..", "a/../..", ".wh..wh..opq", ".wh."].map(text),
  text("9999999999999999 path=a\n"),
  text("11 path=..\n"),
  text("30 GNU.sparse.map=0,1,0,99999\n"),
];

/** Headers with the right checksum again, so that the damage is read and not just refused. */
function withChecksums(bytes: Uint8Array): Uint8Array {
  for (let offset = 0; offset + BLOCK <= bytes.length; offset += BLOCK) {
    const block = bytes.subarray(offset, offset + BLOCK);
    if (!hasMagic(block)) continue;
    const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
    block.set(text(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  }
  return bytes;
}

function hasMagic(block: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(block.subarray(257, 262)) === "ustar";
}

function replaced(bytes: Uint8Array, offset: number, value: Uint8Array): Uint8Array {
  if (offset < bytes.length) bytes.set(value.subarray(0, bytes.length - offset), offset);
  return bytes;
}

function concatenated(one: Uint8Array, other: Uint8Array): Uint8Array {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}
