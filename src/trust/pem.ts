import { Buffer } from "node:buffer";

/** What stands between two lines of PEM (RFC 7468). */
export interface PemBlock {
  /** As in `-----BEGIN CERTIFICATE-----`. */
  readonly label: string;
  readonly der: Buffer;
}

const begin = "-----BEGIN ";
const dashes = "-----";

/** Finds the blocks of a text in PEM. What stands around them is ignored, and so is a block without an end. */
export function pemBlocks(text: string): readonly PemBlock[] {
  return text
    .split(begin)
    .slice(1)
    .flatMap((part) => {
      const label = part.slice(0, part.indexOf(dashes));
      const end = part.indexOf(`${dashes}END ${label}${dashes}`);
      if (label === "" || end === -1) return [];
      return { label, der: Buffer.from(part.slice(label.length + dashes.length, end), "base64") };
    });
}

/** The certificates of a text in PEM; `undefined` if there is something else in it, or nothing. */
export function certificatesInPem(text: string): readonly Buffer[] | undefined {
  const blocks = pemBlocks(text);
  if (blocks.length === 0 || blocks.some(({ label }) => label !== "CERTIFICATE")) return undefined;
  return blocks.map(({ der }) => der);
}
