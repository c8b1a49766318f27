import { type Display, paintFor } from "./display.ts";
import { type EventDetail, eventLine } from "./event-line.ts";
import { type FrameStyle, frame, Rate } from "./frame.ts";
import type { CommandOutput, ProcessContext } from "./process-context.ts";
import { safeText } from "./safe-text.ts";
import { Tally } from "./tally.ts";

const framesPerSecond = 10;

// Control sequences (ECMA-48, DEC private modes).
const hideCursor = "\x1b[?25l";
const showCursor = "\x1b[?25h";
const noWrapping = "\x1b[?7l";
const wrapping = "\x1b[?7h";
const clearLineEnd = "\x1b[K";
const clearBelow = "\r\x1b[J";

/**
 * A display at the bottom of the terminal that is redrawn ten times a second. Lines that stay are written above it.
 *
 * Between frames the cursor is hidden, at the top left of the display. If the terminal is made narrower, it wraps the
 * lines below the cursor, and the cursor stays where it is, so that the next frame overwrites everything.
 */
export function liveDisplay(
  image: string,
  detail: EventDetail,
  context: Pick<ProcessContext, "env" | "errors">,
): Display {
  const { errors } = context;
  const tally = new Tally();
  const rates = { download: new Rate(), unpack: new Rate() };

  // Lines are written with the next frame. Otherwise thousands of lines would cause thousands of frames.
  let lines: string[] = [];

  const draw = (): void => {
    errors.write(staying(lines) + painted(picture()));
    lines = [];
  };
  const picture = (): string[] => {
    if (tally.layers.length === 0) return [`resolving ${safeText(image)}`];
    const now = performance.now();
    rates.download.sample(now, tally.downloadedBytes());
    rates.unpack.sample(now, tally.consumedBytes());
    const perSecond = { download: rates.download.perSecond(), unpack: rates.unpack.perSecond() };
    return frame(tally, perSecond, frameStyle(context));
  };
  const restore = (): void => {
    errors.write(staying(lines) + clearBelow + showCursor);
    lines = [];
  };
  errors.write(hideCursor);
  draw();
  const timer = setInterval(draw, 1000 / framesPerSecond);
  const suspension = restoredWhileSuspended(errors, restore);
  // The cursor is shown again, however the process ends.
  process.on("exit", restore);

  return {
    show(event) {
      tally.record(event);
      const line = eventLine(event, detail);
      if (line !== undefined) lines.push(line);
    },
    say(line) {
      lines.push(line);
      draw();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      suspension[Symbol.dispose]();
      process.off("exit", restore);
      restore();
    },
  };
}

/** Lines that stay: they are written over the display, which is drawn again below them. */
function staying(lines: readonly string[]): string {
  return lines.length === 0 ? "" : `${clearBelow}${lines.join("\n")}\n`;
}

/** A frame as one text, so that the terminal never shows half of it. */
function painted(lines: readonly string[]): string {
  const body = lines.map((line) => line + clearLineEnd).join("\n");
  const back = lines.length > 1 ? `\x1b[${lines.length - 1}A` : "";
  return `\r${noWrapping}${body}\x1b[J${wrapping}${back}\r`;
}

function frameStyle(context: Pick<ProcessContext, "env" | "errors">): FrameStyle {
  const { errors, env } = context;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  return {
    // A terminal that nobody gave a size says 0.
    columns: errors.columns || 80,
    rows: errors.rows || 24,
    unicode: /utf-?8/i.test(locale),
    paint: paintFor(errors, env),
  };
}

/** Shows the cursor while the process is stopped by Ctrl-Z, and hides it again when it continues. */
function restoredWhileSuspended(output: CommandOutput, restore: () => void): Disposable {
  const suspend = (): void => {
    restore();
    process.kill(process.pid, "SIGSTOP");
  };
  const resume = (): void => {
    output.write(hideCursor);
  };
  process.on("SIGTSTP", suspend).on("SIGCONT", resume);
  return {
    [Symbol.dispose]() {
      process.off("SIGTSTP", suspend).off("SIGCONT", resume);
    },
  };
}
