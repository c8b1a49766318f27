import { Buffer } from "node:buffer";
import { TableRefused } from "./table-refused.ts";

/*
 * An eStargz layer ends with an empty gzip member (RFC 1952), whose extra field tells where the table is:
 *
 *     1f 8b 08 04  0 0 0 0 0 ff  │ 26 │ "SG" │ 22 │ offset in 16 hexadecimal digits │ "STARGZ" │ empty block, trailer
 *     0                          │ 10 │ 12   │ 14 │ 16                              │ 32       │ 38            51
 */
export const stargzFooterBytes = 51;

const beginning = Buffer.from([0x1f, 0x8b, 8, 4]);

/** Where the table of an eStargz layer begins, by the last bytes of the layer. Throws `TableRefused`. */
export function stargzTableOffset(footer: Uint8Array): number {
  const bytes = Buffer.from(footer);
  const offset = bytes.toString("latin1", 16, 32);
  const isFooter =
    bytes.length === stargzFooterBytes &&
    bytes.subarray(0, 4).equals(beginning) &&
    bytes.readUInt16LE(10) === 26 &&
    bytes.toString("latin1", 12, 14) === "SG" &&
    bytes.readUInt16LE(14) === 22 &&
    /^[0-9a-f]{16}$/.test(offset) &&
    bytes.toString("latin1", 32, 38) === "STARGZ";
  const value = isFooter ? Number.parseInt(offset, 16) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new TableRefused("the layer does not end as an eStargz layer does");
}
