import { Transform } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { safeText } from "./safe-text.ts";

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
