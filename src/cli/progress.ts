import type { Display } from "./display.ts";
import type { ImageCommand } from "./image-options.ts";
import { lineDisplay, noLines } from "./line-display.ts";
import { liveDisplay } from "./live-display.ts";
import type { ProcessContext } from "./process-context.ts";

/** The display that suits where standard error goes: a live one on a terminal, else lines, or nothing at all. */
export function progressDisplay({ image, verbosity, explain }: ImageCommand, context: ProcessContext): Display {
  const { errors, env } = context;
  if (verbosity === "quiet") return silence;
  const detail = { verbose: verbosity === "verbose", explain };
  if (errors.isTTY === true && env.TERM !== "dumb") return liveDisplay(image, detail, context);
  return lineDisplay(detail, errors);
}

const silence: Display = { ...noLines, show() {} };
