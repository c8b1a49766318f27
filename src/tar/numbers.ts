import type { Timestamp } from "./entry.ts";

const SPACE = 0x20;
const ZERO = 0x30;
const MINUS = 0x2d;

/**
 * A number in a header's field: octal digits, or GNU's base-256.
 *
 * NaN if the field has neither, infinite if the number is not a safe integer. An empty field is 0, as for all readers.
 */
export function numericField(block: Uint8Array, start: number, width: number): number {
  return (block[start] ?? 0) & 0x80 ? base256(block, start, start + width) : octalField(block, start, width);
}

/**
 * Octal digits with spaces or NULs around them. What follows a NUL is ignored. Eleven digits are always a safe integer.
 */
export function octalField(block: Uint8Array, start: number, width: number): number {
  const end = start + width;
  let at = start;
  while (at < end && (block[at] === SPACE || block[at] === 0)) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  while (at < end && block[at] === SPACE) at++;
  return at === end || block[at] === 0 ? value : Number.NaN;
}

/** Big-endian two's complement. The top bit only marks the format; the next one is the sign. */
function base256(block: Uint8Array, start: number, end: number): number {
  const first = (block[start] ?? 0) & 0x7f;
  let value = first & 0x40 ? first - 0x80 : first;
  for (let at = start + 1; at < end; at++) value = value * 256 + (block[at] ?? 0);
  return Number.isSafeInteger(value) ? value : value * Number.POSITIVE_INFINITY;
}

/** The decimal number in `text[start, end)`: NaN if there is anything but digits, infinite beyond safe integers. */
export function decimal(text: Uint8Array, start: number, end: number): number {
  if (start >= end) return Number.NaN;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (text[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY;
}

/** The decimal number in `text[start, end)`, which may begin with a minus; NaN and infinite as for `decimal`. */
export function signedDecimal(text: Uint8Array, start: number, end: number): number {
  return text[start] === MINUS ? 0 - decimal(text, start + 1, end) : decimal(text, start, end);
}

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
