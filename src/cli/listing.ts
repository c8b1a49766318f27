import type { ListedEntry } from "../index.ts";
import { safeText } from "./safe-text.ts";

const typeLetters: Readonly<Record<ListedEntry["type"], string>> = {
  file: "-",
  directory: "d",
  symlink: "l",
  fifo: "p",
  "character-device": "c",
  "block-device": "b",
};

/**
 * A listing as people read it: type and mode, owner, size, time (UTC), the layer, counted from 1 at the bottom, and the path.
 *
 *   -rwsr-xr-x  0:0   71,912  2024-04-09 08:00:00  L1  usr/bin/passwd
 */
export function listingLines(entries: readonly ListedEntry[]): string[] {
  const rows = entries.map((entry) => ({
    owner: `${entry.uid}:${entry.gid}`,
    size: sizeText(entry),
    layer: `L${entry.layer + 1}`,
    entry,
  }));
  const width = (column: "owner" | "size" | "layer") =>
    rows.reduce((most, row) => Math.max(most, row[column].length), 0);
  const [owner, size, layer] = [width("owner"), width("size"), width("layer")];
  return rows.map((row) =>
    [
      typeLetters[row.entry.type] + modeText(row.entry.mode),
      row.owner.padEnd(owner),
      row.size.padStart(size),
      timeText(row.entry),
      row.layer.padEnd(layer),
      nameText(row.entry),
    ].join("  "),
  );
}

/** `rwxr-xr-x`, with `s`, `S`, `t` and `T` as ls has them. */
function modeText(mode: number): string {
  const bits = ["r", "w", "x", "r", "w", "x", "r", "w", "x"].map((letter, bit) =>
    mode & (0o400 >> bit) ? letter : "-",
  );
  const special = [
    [0o4000, 2, "s"],
    [0o2000, 5, "s"],
    [0o1000, 8, "t"],
  ] as const;
  for (const [bit, place, letter] of special) {
    if ((mode & bit) !== 0) bits[place] = bits[place] === "x" ? letter : letter.toUpperCase();
  }
  return bits.join("");
}

function sizeText({ type, sizeBytes, deviceMajor, deviceMinor }: ListedEntry): string {
  if (type.endsWith("device")) return `${deviceMajor},${deviceMinor}`;
  return type === "file" ? String(sizeBytes) : "-";
}

/** Years beyond what a Date holds are shown as seconds. */
function timeText({ mtime: { seconds } }: ListedEntry): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime()) || Math.abs(date.getUTCFullYear()) > 9999) return `@${seconds}`.padEnd(19);
  return date.toISOString().slice(0, 19).replace("T", " ");
}

function nameText({ path, linkTarget, sameFileAs }: ListedEntry): string {
  if (linkTarget !== undefined) return `${safeText(path)} -> ${safeText(linkTarget)}`;
  return sameFileAs === undefined ? safeText(path) : `${safeText(path)} = ${safeText(sameFileAs)}`;
}
