import { Random } from "../model/random.ts";

/** What streams hold: bytes that end well, or badly, compressed, and something between. */
export const bodyNames = ["zeros", "pattern", "text", "digits", "noise"] as const;
export type BodyName = (typeof bodyNames)[number];

const longest = 5 * 1024 * 1024;
const bodies = new Map<BodyName, Buffer>();

/** The first `length` bytes of one body; they always are the same ones. */
export function body(name: BodyName, length: number): Buffer {
  const known = bodies.get(name) ?? made(name);
  bodies.set(name, known);
  return known.subarray(0, length);
}

function made(name: BodyName): Buffer {
  const random = new Random(name.length);
  switch (name) {
    case "zeros":
      return Buffer.alloc(longest);
    case "pattern":
      return Buffer.alloc(longest, "a pattern of 23 letters");
    case "text":
      return Buffer.alloc(longest, text(random, 40_009));
    case "digits":
      return Buffer.alloc(longest, Buffer.from(Array.from({ length: 70_001 }, () => 0x30 + random.below(10))));
    case "noise":
      return Buffer.from(Uint32Array.from({ length: longest / 4 }, () => random.below(2 ** 32)).buffer);
  }
}

function text(random: Random, length: number): Buffer {
  const words = Array.from({ length: 300 }, () =>
    Buffer.from(random.many(1, 12, () => 0x61 + random.below(26))).toString("latin1"),
  );
  let written = "";
  while (written.length < length) written += `${random.oneOf(words)} `;
  return Buffer.from(written.slice(0, length), "latin1");
}
