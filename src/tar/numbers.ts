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
