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
 * The result of `ls` as lines for people: type and mode, owner, size, time (UTC), the layer, counted from 1 at the
 * bottom, the beginning of the digest where there are digests, and the path.
 *
 *   -rwsr-xr-x  0:0   71912  2024-04-09 08:00:00  L1  1c5fd5e2e8a3  usr/bin/passwd
 */
export function* listingLines(
  entries: readonly ListedEntry[],
  { hasDigests }: { readonly hasDigests: boolean },
): Iterable<string> {
  // An image may have a hundred thousand entries, so their lines are not kept in memory.
  const columns = new Columns();
  const [owner, size, layer] = columns.widths(entries);
  for (const entry of entries) {
    const mode = typeLetters[entry.type] + columns.mode(entry.mode);
    const about = `${mode}  ${ownerText(entry).padEnd(owner)}  ${sizeText(entry).padStart(size)}`;
    const digest = hasDigests ? `${digestText(entry)}  ` : "";
    yield `${about}  ${columns.time(entry)}  ${layerText(entry).padEnd(layer)}  ${digest}${nameText(entry)}`;
  }
}

/** What makes the columns of a listing. Many entries have the same mode, and some in a row the same time. */
class Columns {
  readonly #modes = new Map<number, string>();
  #seconds = Number.NaN;
  #time = "";

  /** How wide owners, sizes and layers are. */
  widths(entries: readonly ListedEntry[]): readonly [owner: number, size: number, layer: number] {
    let [owner, size, layer] = [0, 0, 0];
    for (const entry of entries) {
      owner = Math.max(owner, ownerText(entry).length);
      size = Math.max(size, sizeText(entry).length);
      layer = Math.max(layer, layerText(entry).length);
    }
    return [owner, size, layer];
  }

  mode(mode: number): string {
    const known = this.#modes.get(mode);
    if (known !== undefined) return known;
    const text = modeText(mode);
    this.#modes.set(mode, text);
    return text;
  }

  time(entry: ListedEntry): string {
    if (entry.mtime.seconds !== this.#seconds) {
      this.#seconds = entry.mtime.seconds;
      this.#time = timeText(entry);
    }
    return this.#time;
  }
}

/** `rwxr-xr-x`, with `s`, `S`, `t` and `T` as in ls. */
function modeText(mode: number): string {
  const bits = ["r", "w", "x", "r", "w", "x", "r", "w", "x"].map((letter, bit) =>
    mode & (0o400 >> bit) ? letter : "-",
  );
  const special = [
    [0o4000, 2, "s"],
    [0o2000, 5, "s"],
    [0o1000, 8, "t"],
  ] as const;
  for (const [bit, position, letter] of special) {
    if ((mode & bit) !== 0) bits[position] = bits[position] === "x" ? letter : letter.toUpperCase();
  }
  return bits.join("");
}

function ownerText({ uid, gid }: ListedEntry): string {
  return `${uid}:${gid}`;
}

function layerText({ layer }: ListedEntry): string {
  return `L${layer + 1}`;
}

/** How many digits tell files apart: with a million of them, two are alike with one in 500 chances. */
const shownDigits = 12;

function digestText({ digest = "-" }: ListedEntry): string {
  const digits = digest.slice(digest.indexOf(":") + 1);
  return digits.slice(0, shownDigits).padEnd(shownDigits);
}

function sizeText({ type, sizeBytes, deviceMajor, deviceMinor }: ListedEntry): string {
  if (type.endsWith("device")) return `${deviceMajor},${deviceMinor}`;
  return type === "file" ? String(sizeBytes) : "-";
}

/** The time, or seconds for years that a Date cannot represent. */
function timeText({ mtime: { seconds } }: ListedEntry): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime()) || Math.abs(date.getUTCFullYear()) > 9999) return `@${seconds}`.padEnd(19);
  return date.toISOString().slice(0, 19).replace("T", " ");
}

function nameText({ path, linkTarget, sameFileAs }: ListedEntry): string {
  if (linkTarget !== undefined) return `${safeText(path)} -> ${safeText(linkTarget)}`;
  return sameFileAs === undefined ? safeText(path) : `${safeText(path)} = ${safeText(sameFileAs)}`;
}
