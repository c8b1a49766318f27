import type { OciUnpackEvent } from "../index.ts";
import { type Display, eventDisplay } from "./display.ts";
import { type EventDetail, eventLine } from "./event-line.ts";
import type { ImageSettings } from "./image-options.ts";
import type { CommandOutput, ProcessContext } from "./process-context.ts";
import { bytesText, counted } from "./quantities.ts";
import { safeText } from "./safe-text.ts";
import { downloadText, platformWords, Tally } from "./tally.ts";

/**
 * A display of plain lines, for a file, a pipe or a log: the image, each layer that is done, and a line every ten
 * seconds.
 */
export function lineDisplay(detail: EventDetail, output: CommandOutput): Display {
  const tally = new Tally();
  const lines = progressLines(output, () => heartbeat(tally));
  return {
    show(event) {
      tally.record(event);
      const line = milestone(event, tally) ?? eventLine(event, detail);
      if (line !== undefined) lines.say(line);
    },
    say: lines.say,
    [Symbol.dispose]: () => lines[Symbol.dispose](),
  };
}

function milestone(event: OciUnpackEvent, tally: Tally): string | undefined {
  switch (event.type) {
    case "resolved": {
      const facts = [...platformWords(event), counted(event.layers.length, "layer"), bytesText(event.totalBytes)];
      return `${safeText(event.reference)} is ${event.digest} (${facts.join(", ")})`;
    }
    case "layer-finished":
      return `layer ${event.layer + 1} of ${tally.layers.length}: ${counted(event.entries, "entry", "entries")}`;
    default:
      return undefined;
  }
}

function heartbeat(tally: Tally): string {
  if (tally.layers.length === 0) return "finding out what the image is";
  // A copy unpacks nothing.
  if (!tally.layers.some(({ started }) => started)) return downloadText(tally);
  return `${downloadText(tally)}, unpacked ${tally.unpackedLayers()} of ${counted(tally.layers.length, "layer")}`;
}

/** The longest time without a line, so that people who watch a log see that the command still works. */
const longestSilenceMilliseconds = 10_000;

/** Writes lines to a log. */
interface ProgressLines extends Disposable {
  say(line: string): void;
}

/** Writes lines, and that of `sign` when there was none for ten seconds, until this is disposed of. */
function progressLines(output: CommandOutput, sign: () => string): ProgressLines {
  let hasSpoken = false;
  const say = (line: string): void => {
    output.write(`${line}\n`);
    hasSpoken = true;
  };
  const timer = setInterval(() => {
    if (hasSpoken) hasSpoken = false;
    else say(sign());
  }, longestSilenceMilliseconds / 2);
  return { say, [Symbol.dispose]: () => clearInterval(timer) };
}

/** Writes nothing, for `--quiet`. */
export const noLines: ProgressLines = { say() {}, [Symbol.dispose]() {} };

/**
 * A display for commands whose result is an answer: it shows only what the user has to know. If the command takes long,
 * it writes every ten seconds what is being done, which `doing` says.
 */
export function terseDisplay(
  { verbosity, explain }: Pick<ImageSettings, "verbosity" | "explain">,
  { errors }: Pick<ProcessContext, "errors">,
  doing: string,
): Display {
  if (verbosity === "events") return eventDisplay({ errors });
  const tally = new Tally();
  const sign = () => (tally.layers.length === 0 ? doing : `${doing}: ${downloadText(tally)}`);
  const lines = verbosity === "quiet" ? noLines : progressLines(errors, sign);
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
