/**
 * Whether bytes are an ECDSA signature in DER (RFC 3279, section 2.2.3): a sequence of two positive integers, each as short
 * as it can be, and nothing else.
 */
export function isDerSignature(bytes: Uint8Array): boolean {
  const [tag, length = 0, longLength = 0] = bytes;
  const isLong = length === 0x81;
  const content = isLong ? longLength : length;
  const start = isLong ? 3 : 2;
  const isShortest = isLong ? content >= 0x80 : content < 0x80;
  if (tag !== 0x30 || !isShortest || start + content !== bytes.length) return false;
  const second = endOfInteger(bytes, start);
  return second !== undefined && endOfInteger(bytes, second) === bytes.length;
}

/** Where the integer that begins at `start` ends; `undefined` if none does that is positive and as short as it can be. */
function endOfInteger(bytes: Uint8Array, start: number): number | undefined {
  const [tag, length = 0, first = 0x80, next = 0] = bytes.subarray(start, start + 4);
  const isShortest = first !== 0 || (length > 1 && next >= 0x80);
  if (tag !== 2 || length === 0 || length >= 0x80 || first >= 0x80 || !isShortest) return undefined;
  return start + 2 + length;
}
