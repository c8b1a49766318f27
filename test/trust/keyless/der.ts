// What certificates and timestamps are written in (DER, X.690), as far as tests need it.

/** A value with its tag and length. */
export function tagged(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(content);
  const { length } = bytes;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), bytes]);
}

export const sequence = (...items: readonly Uint8Array[]) => tagged(0x30, ...items);
export const set = (...items: readonly Uint8Array[]) => tagged(0x31, ...items);
export const octets = (...content: readonly Uint8Array[]) => tagged(0x04, ...content);
export const bits = (content: Uint8Array, unused = 0) => tagged(0x03, Buffer.from([unused]), content);
export const utf8 = (text: string) => tagged(0x0c, Buffer.from(text));
export const truth = tagged(0x01, Buffer.from([0xff]));
/** A small number from 0 to 127. */
export const integer = (value: number) => tagged(0x02, Buffer.from([value]));
/** `[number]`, with other values in it. */
export const context = (number: number, ...items: readonly Uint8Array[]) => tagged(0xa0 + number, ...items);
/** `[number]`, with bytes in it. */
export const plainContext = (number: number, bytes: Uint8Array) => tagged(0x80 + number, bytes);

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

const digits = (date: Date) => `${date.toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`;

/** A time as timestamps have it. */
export const generalizedTime = (date: Date) => tagged(0x18, Buffer.from(digits(date)));

/** A time as certificates have it until 2049 (RFC 5280, section 4.1.2.5.1). */
export const utcTime = (date: Date) => tagged(0x17, Buffer.from(digits(date).slice(2)));
