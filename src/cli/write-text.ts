import type { Surroundings } from "./surroundings.ts";

/** How much text is written at once. */
const pieceCharacters = 64 * 1024;

/** Writes text of any length, in pieces that are worth a write each. */
export function writeText(output: Surroundings["output"], texts: Iterable<string>): void {
  let piece = "";
  for (const text of texts) {
    piece += text;
    if (piece.length < pieceCharacters) continue;
    output.write(piece);
    piece = "";
  }
  output.write(piece);
}

/** The same for lines that have no ends yet. */
export function writeLines(output: Surroundings["output"], lines: Iterable<string>): void {
  writeText(output, withEnds(lines));
}

function* withEnds(lines: Iterable<string>): Iterable<string> {
  for (const line of lines) yield `${line}\n`;
}
