import { Buffer } from "node:buffer";
import type { ByteString } from "./byte-string.ts";
import type { Timestamp } from "./entry.ts";

/** A keyword with its value, both as bytes. */
export type PaxRecord = readonly [keyword: ByteString, value: ByteString];

/** The body of a pax extended header: `length keyword=value\n` for each record, whose length counts its own digits too. */
export function paxText(records: readonly PaxRecord[]): Uint8Array {
  return Buffer.from(records.map(recordText).join(""), "latin1");
}

function recordText([keyword, value]: PaxRecord): string {
  const rest = ` ${keyword}=${value}\n`;
  let length = rest.length;
  while (length !== String(length).length + rest.length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

/** A time as a record states it: decimal seconds, no digits more than it needs. Half a second before 1970 is `-0.5`. */
export function timeText({ seconds, nanoseconds }: Timestamp): string {
  const isNegative = seconds < 0;
  const borrows = isNegative && nanoseconds > 0;
  const whole = isNegative ? -seconds - (borrows ? 1 : 0) : seconds;
  const fraction = borrows ? 1e9 - nanoseconds : nanoseconds;
  const digits =
    fraction === 0
      ? ""
      : `.${String(fraction)
          .padStart(9, "0")
          .replace(/0{1,9}$/, "")}`;
  return `${isNegative ? "-" : ""}${whole}${digits}`;
}
