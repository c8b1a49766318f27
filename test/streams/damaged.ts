import type { Random } from "../model/random.ts";
import type { Outcome } from "./reading.ts";

/** Cut somewhere, or with some other bytes, or both. */
export function damaged(bytes: Buffer, random: Random): Buffer {
  const result = Buffer.from(bytes.subarray(0, random.chance(0.4) ? random.below(bytes.length) : bytes.length));
  if (result.length === 0) return result;
  for (let count = random.below(4); count > 0; count -= 1) {
    const place = random.below(result.length);
    result[place] = random.chance(0.5) ? random.below(256) : (result[place] ?? 0) ^ (1 << random.below(8));
  }
  return result;
}

/** In what the same bytes were read in another way, if they were. How much was taken of what is refused may differ. */
export function differenceBetween(expected: Outcome, actual: Outcome): string | undefined {
  if (actual.failure !== expected.failure) return `it says ${actual.failure}, not ${expected.failure}`;
  if (`${actual.warnings}` !== `${expected.warnings}`) return `it warns of "${actual.warnings}"`;
  if (!actual.bytes.equals(expected.bytes)) return `other bytes come out: ${actual.bytes.length}`;
  if (expected.failure !== undefined || actual.takenBytes === expected.takenBytes) return undefined;
  return `${actual.takenBytes} bytes are taken, not ${expected.takenBytes}`;
}
