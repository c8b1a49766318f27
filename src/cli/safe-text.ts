import { Transform } from "node:stream";
import { StringDecoder } from "node:string_decoder";

// Unicode's "Other" (controls, invisible formatting such as bidirectional overrides, lone surrogates, private use,
// unassigned) and its line and paragraph separators: all that moves a cursor, hides, or reorders what stands around it.
const unsafe = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Longer than any message of ours; short enough that a registry cannot fill a terminal's scrollback with one. */
const longestText = 2000;

/**
 * Text that someone else chose, made fit for one line of a terminal: what could act is shown as `\x1b` or `\u{202e}`.
 *
 * CWE-150: without this, a registry's error message or a file's name could rewrite what the screen says.
 */
export function safeText(text: string): string {
  const clipped = text.length > longestText ? `${text.slice(0, longestText)}…` : text;
  return clipped.replace(unsafe, escaped);
}

/**
 * JSON of any value with the same characters escaped as JSON can, so that it parses to the same and prints harmlessly.
 */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(unsafe, (character) => [...codeUnits(character)].map(jsonEscape).join(""));
}

function escaped(character: string): string {
  const named = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character];
  if (named !== undefined) return named;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

function* codeUnits(character: string): Iterable<number> {
  for (let index = 0; index < character.length; index++) yield character.charCodeAt(index);
}

function jsonEscape(codeUnit: number): string {
  return `\\u${codeUnit.toString(16).padStart(4, "0")}`;
}

/** Text on its way to a terminal: what could act on it is shown instead, but lines end and tabs stay. */
export function terminalText(): Transform {
  const decoder = new StringDecoder("utf8");
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, harmless(decoder.write(chunk)));
    },
    flush(done) {
      done(null, harmless(decoder.end()));
    },
  });
}

function harmless(text: string): string {
  return text.replace(/[^\n\t -~]+/g, (run) => [...run].map(safeText).join(""));
}
