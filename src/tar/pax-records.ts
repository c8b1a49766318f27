import { Buffer } from "node:buffer";
import { invalidArchive } from "./block-reader.ts";
import type { ByteString } from "./byte-string.ts";
import type { Timestamp } from "./entry.ts";
import { decimal } from "./numbers.ts";

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;

/**
 * Calls `record` for each record of a pax header, in order.
 *
 *     30 mtime=1350244992.023960108\n      the length is that of all, itself and the newline too; a value may have any byte
 */
export function eachPaxRecord(text: Buffer, offset: number, record: (key: string, value: Uint8Array) => void): void {
  for (let start = 0; start < text.length; ) {
    const space = text.indexOf(SPACE, start);
    const end = start + (space < 0 ? Number.NaN : decimal(text, start, space));
    const equals = text.indexOf(EQUALS, space);
    // NaN, infinity, and a length that is too short for itself fail one of these comparisons.
    if (!(end > space && end <= text.length)) throw malformed(offset, start, "states no possible length");
    if (text[end - 1] !== NEWLINE) throw malformed(offset, start, "does not end in a newline");
    if (equals < 0 || equals >= end) throw malformed(offset, start, "has no equals sign");
    const key = text.toString("latin1", space + 1, equals);
    if (key === "" || key.includes("\0")) throw malformed(offset, start, "has no valid keyword");
    record(key, text.subarray(equals + 1, end - 1));
    start = end;
  }
}

function malformed(offset: number, start: number, found: string) {
  return invalidArchive("decode the pax header", offset, `its record at byte ${start} ${found}`);
}

/** A keyword with its value, both as bytes. */
export type PaxRecord = readonly [keyword: ByteString, value: ByteString];

/**
 * The body of a pax extended header: `length keyword=value\n` for each record, whose length counts its own digits too.
 */
export function paxText(records: readonly PaxRecord[]): Uint8Array {
  return Buffer.from(records.map(recordText).join(""), "latin1");
}

function recordText([keyword, value]: PaxRecord): string {
  const rest = ` ${keyword}=${value}\n`;
  let length = rest.length;
  while (length !== String(length).length + rest.length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

/**
 * A time as a record has it: decimal seconds. Half a second before 1970 is `-0.500000000`: a fraction has all nine
 * digits, because mkfs.erofs (1.8) takes whatever digits there are for a number of nanoseconds.
 */
export function timeText({ seconds, nanoseconds }: Timestamp): string {
  const isNegative = seconds < 0;
  const borrows = isNegative && nanoseconds > 0;
  const whole = isNegative ? -seconds - (borrows ? 1 : 0) : seconds;
  const fraction = borrows ? 1e9 - nanoseconds : nanoseconds;
  const digits = fraction === 0 ? "" : `.${String(fraction).padStart(9, "0")}`;
  return `${isNegative ? "-" : ""}${whole}${digits}`;
}
