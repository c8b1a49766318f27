import type { Timestamp } from "./entry.ts";
import { decimal } from "./numbers.ts";

const MINUS = 0x2d;
const POINT = 0x2e;
const DIGITS = 9;

/**
 * A pax time: decimal seconds, maybe negative, maybe with a fraction, of which nine digits count (POSIX pax, "mtime").
 *
 * The seconds are NaN if the text is not such a number, and infinite beyond safe integers.
 */
export function paxTime(text: Uint8Array): Timestamp {
  const negative = text[0] === MINUS;
  const point = text.indexOf(POINT);
  const seconds = decimal(text, negative ? 1 : 0, point < 0 ? text.length : point);
  const nanoseconds = point < 0 ? 0 : fraction(text, point + 1);
  if (Number.isNaN(nanoseconds)) return { seconds: Number.NaN, nanoseconds: 0 };
  if (!negative) return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: 0 - seconds, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}

/** The nearest time whose seconds are a safe integer. */
export function clampedTime({ seconds, nanoseconds }: Timestamp): Timestamp {
  if (seconds > Number.MAX_SAFE_INTEGER) return { seconds: Number.MAX_SAFE_INTEGER, nanoseconds: 999_999_999 };
  if (seconds < Number.MIN_SAFE_INTEGER) return { seconds: Number.MIN_SAFE_INTEGER, nanoseconds: 0 };
  return { seconds, nanoseconds };
}

/** The digits after the point as nanoseconds; without digits 0. */
function fraction(text: Uint8Array, start: number): number {
  if (start === text.length) return 0;
  const end = Math.min(text.length, start + DIGITS);
  if (Number.isNaN(decimal(text, start, text.length))) return Number.NaN;
  return decimal(text, start, end) * 10 ** (DIGITS - (end - start));
}

/** The earliest time, in 1901, that every file system can store. */
export const earliestSeconds = -(2 ** 31);

/** The latest time, in 2038, that every file system can store. */
export const latestSeconds = 2 ** 31 - 1;
