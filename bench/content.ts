/** Numbers that look random and are the same in every run: xorshift32, each below 2³². */
export function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const poolBytes = 4 * 1024 * 1024;
const wordCount = 1000;

/**
 * Bytes that compress about 3:1, like programs and their sources do: words of 3 to 18 bytes, a few of them frequent.
 *
 * Views of a pool larger than any window of deflate's, so that what comes twice is not found again.
 */
export function compressibleBytes(seed: number): (length: number) => Uint8Array {
  const next = pseudoRandom(seed);
  const pool = filledPool(next);
  return (length) => {
    const start = next() % (poolBytes - length);
    return pool.subarray(start, start + length);
  };
}

/** The most that can be asked for at once. */
export const pieceBytes = 64 * 1024;

function filledPool(next: () => number): Uint8Array {
  const words = Array.from({ length: wordCount }, () =>
    Uint8Array.from({ length: 3 + (next() % 16) }, () => next() >>> 8),
  );
  const pool = new Uint8Array(poolBytes);
  for (let at = 0; at < poolBytes; ) {
    const word = words[Math.floor(wordCount * (next() / 2 ** 32) ** 3)] ?? pool;
    pool.set(word.subarray(0, poolBytes - at), at);
    at += word.length;
  }
  return pool;
}
