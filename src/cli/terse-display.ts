import type { Display } from "./display.ts";
import { eventLine } from "./event-line.ts";
import type { ImageWishes } from "./image-options.ts";
import { livingLines, silentLines } from "./living-lines.ts";
import type { Surroundings } from "./surroundings.ts";
import { downloadText, Tally } from "./tally.ts";

/**
 * Only what deserves it is told: whoever asks a question wants the answer and nothing else. While it takes long, `doing`
 * says now and then what is being done.
 */
export function terseDisplay(
  { verbosity, explain }: Pick<ImageWishes, "verbosity" | "explain">,
  { errors }: Pick<Surroundings, "errors">,
  doing: string,
): Display {
  const tally = new Tally();
  const sign = () => (tally.layers.length === 0 ? doing : `${doing}: ${downloadText(tally)}`);
  const lines = verbosity === "quiet" ? silentLines : livingLines(errors, sign);
  return {
    show(event) {
      tally.record(event);
      const line = eventLine(event, { verbose: verbosity === "verbose", explain });
      if (line !== undefined) lines.say(line);
    },
    say: lines.say,
    [Symbol.dispose]: () => lines[Symbol.dispose](),
  };
}
