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
export function* listingLines(entries: readonly ListedEntry[]): Iterable<string> {
  // An image may have a hundred thousand entries: their lines are not held.
  const width = (column: (entry: ListedEntry) => string) =>
    entries.reduce((most, entry) => Math.max(most, column(entry).length), 0);
  const [owner, size, layer] = [width(ownerText), width(sizeText), width(layerText)];
  for (const entry of entries) {
    const columns = [
      typeLetters[entry.type] + modeText(entry.mode),
      ownerText(entry).padEnd(owner),
      sizeText(entry).padStart(size),
      timeText(entry),
      layerText(entry).padEnd(layer),
      nameText(entry),
    ];
    yield columns.join("  ");
  }
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

function ownerText({ uid, gid }: ListedEntry): string {
  return `${uid}:${gid}`;
}

function layerText({ layer }: ListedEntry): string {
  return `L${layer + 1}`;
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
