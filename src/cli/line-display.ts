import type { OciUnpackEvent } from "../index.ts";
import type { Display } from "./display.ts";
import { type EventDetail, eventLine } from "./event-line.ts";
import type { ImageSettings } from "./image-options.ts";
import type { CommandOutput, ProcessContext } from "./process-context.ts";
import { bytesText, counted } from "./quantities.ts";
import { safeText } from "./safe-text.ts";
import { downloadText, Tally } from "./tally.ts";

/**
 * Plain lines, for a file, a pipe or a log: what was found, each layer that is done, and a sign of life now and then.
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
      const layers = counted(event.layers.length, "layer");
      return `${safeText(event.reference)} is ${event.digest} (${safeText(event.platform)}, ${layers}, ${bytesText(event.totalBytes)})`;
    }
    case "layer-finished":
      return `layer ${event.layer + 1} of ${tally.layers.length}: ${counted(event.entries, "entry", "entries")}`;
    default:
      return undefined;
  }
}

function heartbeat(tally: Tally): string {
  if (tally.layers.length === 0) return "finding out what the image is";
  // Of a copy nothing is unpacked.
  if (!tally.layers.some(({ started }) => started)) return downloadText(tally);
  return `${downloadText(tally)}, unpacked ${tally.unpackedLayers()} of ${counted(tally.layers.length, "layer")}`;
}

/** Short enough that whoever watches a log knows that this is alive, also while nothing happens. */
const longestSilenceMilliseconds = 10_000;

/** Lines for a log. */
interface ProgressLines extends Disposable {
  say(line: string): void;
}

/** Writes lines and, where there was none for ten seconds, `sign`'s until this is closed. */
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

/** The same for who wants to hear of errors alone. */
export const noLines: ProgressLines = { say() {}, [Symbol.dispose]() {} };

/**
 * Only what deserves it is told: whoever asks a question wants the answer and nothing else. While it takes long,
 * `doing` says now and then what is being done.
 */
export function terseDisplay(
  { verbosity, explain }: Pick<ImageSettings, "verbosity" | "explain">,
  { errors }: Pick<ProcessContext, "errors">,
  doing: string,
): Display {
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
