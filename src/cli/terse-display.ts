import type { Display } from "./display.ts";
import { eventLine } from "./event-line.ts";
import type { ImageWishes } from "./image-options.ts";
import type { Surroundings } from "./surroundings.ts";

/** Only what deserves it is told: whoever asks a question wants the answer and nothing else. */
export function terseDisplay({ verbosity, explain }: ImageWishes, { errors }: Surroundings): Display {
  const say = (line: string) => {
    if (verbosity !== "quiet") errors.write(`${line}\n`);
  };
  return {
    show(event) {
      const line = eventLine(event, { verbose: verbosity === "verbose", explain });
      if (line !== undefined) say(line);
    },
    say,
    [Symbol.dispose]() {},
  };
}
