import type { Display } from "./display.ts";
import type { ImageCommand } from "./image-options.ts";
import { lineDisplay } from "./line-display.ts";
import { liveDisplay } from "./live-display.ts";
import { silentLines } from "./living-lines.ts";
import type { Surroundings } from "./surroundings.ts";

/** The display that suits where standard error goes: a live one on a terminal, else lines, or nothing at all. */
export function progressDisplay({ image, verbosity, explain }: ImageCommand, surroundings: Surroundings): Display {
  const { errors, env } = surroundings;
  if (verbosity === "quiet") return silence;
  const curiosity = { verbose: verbosity === "verbose", explain };
  if (errors.isTTY === true && env.TERM !== "dumb") return liveDisplay(image, curiosity, surroundings);
  return lineDisplay(curiosity, errors);
}

const silence: Display = { ...silentLines, show() {} };
