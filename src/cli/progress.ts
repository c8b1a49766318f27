import type { Display } from "./display.ts";
import type { ImageCommand } from "./image-options.ts";
import { lineDisplay, noLines } from "./line-display.ts";
import { liveDisplay } from "./live-display.ts";
import type { ProcessContext } from "./process-context.ts";

/** The display for standard error: a live one on a terminal, otherwise lines, and nothing with `--quiet`. */
export function progressDisplay({ image, verbosity, explain }: ImageCommand, context: ProcessContext): Display {
  const { errors, env } = context;
  if (verbosity === "quiet") return silence;
  const detail = { verbose: verbosity === "verbose", explain };
  if (errors.isTTY === true && env.TERM !== "dumb") return liveDisplay(image, detail, context);
  return lineDisplay(detail, errors);
}

const silence: Display = { ...noLines, show() {} };
