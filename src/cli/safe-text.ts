import { Transform } from "node:stream";
import { StringDecoder } from "node:string_decoder";

// Unicode's "Other" (controls, invisible formatting such as bidirectional overrides, lone surrogates, private use,
// unassigned) and its line and paragraph separators: everything that can move the cursor, or hide or reorder text.
const unsafe = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** How much of a text is shown: longer than any of our messages, so short that a registry cannot fill the terminal. */
const longestText = 2000;

/**
 * A text from an image or a registry that is safe to write to a terminal, as one line: control characters become `\x1b`
 * or `\u{202e}`.
 *
 * Otherwise a registry's error message or a file's name could change what the terminal shows (CWE-150).
 */
export function safeText(text: string): string {
  const clipped = text.length > longestText ? `${text.slice(0, longestText)}…` : text;
  return clipped.replace(unsafe, escaped);
}

/**
 * JSON of any value, with the same characters escaped. It is safe to write to a terminal and parses to the same value.
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

/** A stream that makes text safe to write to a terminal. Line ends and tabs stay as they are. */
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
