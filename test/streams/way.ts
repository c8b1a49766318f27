import type { Random } from "../model/random.ts";

/** How a stream's bytes come, and where those that come out of it go. */
export interface Way {
  /** Where one chunk of the input ends and the next begins, in order. */
  readonly cuts: readonly number[];
  readonly spaceBytes: number;
}

/** As many of a stream's last bytes as are cut everywhere. */
export const lastBytes = 64;

/** Cut so many bytes before the end, which may be before the beginning: then nowhere. */
export function cutBefore(compressedBytes: number, bytes: number): Way {
  const cut = compressedBytes - bytes;
  return { cuts: cut > 0 && cut < compressedBytes ? [cut] : [], spaceBytes: 1 << 19 };
}

export function randomWay(random: Random, compressedBytes: number): Way {
  const start = Math.max(1, compressedBytes - lastBytes);
  const inTheEnd = () => start + random.below(lastBytes);
  const anywhere = () => 1 + random.below(compressedBytes);
  const kinds: Readonly<Record<string, () => number[]>> = {
    one: () => [inTheEnd()],
    two: () => [inTheEnd(), inTheEnd()],
    each: () => Array.from({ length: lastBytes }, (_, index) => start + index),
    some: () => Array.from({ length: lastBytes }, (_, index) => start + index).filter(() => random.chance(0.3)),
    anywhere: () => [anywhere(), anywhere(), inTheEnd()],
    even: () => evenly(compressedBytes, Math.ceil(compressedBytes / (2 + random.below(200)))),
    none: () => [],
  };
  const cuts = kinds[random.weighted({ one: 4, two: 4, each: 2, some: 4, anywhere: 3, even: 2, none: 1 })]?.() ?? [];
  return {
    cuts: [...new Set(cuts)].filter((cut) => cut < compressedBytes).sort((a, b) => a - b),
    spaceBytes: random.oneOf([1 << 19, 1 << 19, 1 << 16, (1 << 15) + 1, 4099]),
  };
}

function evenly(length: number, step: number): number[] {
  return Array.from({ length: Math.floor(length / step) }, (_, index) => (index + 1) * step);
}
