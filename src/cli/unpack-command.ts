import type * as Library from "../index.ts";
import type { UnpackOptions } from "../index.ts";
import { type DecisionLog, resultJson, writeText } from "./command-output.ts";
import { givenCredential, openingSource, type SourceLibrary } from "./connection.ts";
import { type Display, recordingListener, withDisplay } from "./display.ts";
import type { ImageCommand } from "./image-options.ts";
import { parseLimits } from "./limits.ts";
import { lineDisplay, noLines } from "./line-display.ts";
import { liveDisplay } from "./live-display.ts";
import { makeOutput, type OutputLibrary } from "./make-output.ts";
import { paintFor } from "./paint.ts";
import { exitCodes, type ProcessContext } from "./process-context.ts";
import type { UnpackCommand } from "./unpack-options.ts";

/** The functions of the library that are used here. */
export type UnpackLibrary = SourceLibrary & OutputLibrary & Pick<typeof Library, "defaultLimits">;

/** `oci-unpack IMAGE DIRECTORY`: unpacks an image, or makes another output of it, shows the progress and the result. */
export async function unpackCommand(
  command: UnpackCommand,
  context: ProcessContext,
  decisionLog: DecisionLog,
  library: UnpackLibrary,
): Promise<number> {
  const limits = parseLimits(command.limits, library.defaultLimits);
  const credential = await givenCredential(command, context);
  const { result, lines } = await withDisplay(progressDisplay(command, context), async ({ show }, signal) => {
    const onEvent = recordingListener(show, command, decisionLog);
    const connection = { command, context, limits, credential, onEvent };
    await using opening = openingSource(connection, library);
    const options = {
      ...command.options,
      ...bundleOf(command, context),
      limits,
      source: opening.source,
      signal,
      onEvent,
    };
    return await makeOutput(command, context, options, library);
  });

  if (command.json) writeText(context.output, resultJson(result, decisionLog));
  if (command.verbosity !== "quiet") {
    const paint = paintFor(context.errors, context.env);
    context.errors.write(`${lines(paint).join("\n")}\n`);
  }
  return exitCodes.done;
}

function bundleOf({ bundle }: UnpackCommand, { uid, gid }: ProcessContext): Pick<UnpackOptions, "bundle"> {
  return bundle === "none" ? {} : { bundle: bundle === "for root" ? true : { uid, gid } };
}

/** The display for standard error: a live one on a terminal, otherwise lines, and nothing with `--quiet`. */
export function progressDisplay({ image, verbosity, explain }: ImageCommand, context: ProcessContext): Display {
  const { errors, env } = context;
  if (verbosity === "quiet") return silence;
  const detail = { verbose: verbosity === "verbose", explain };
  if (errors.isTTY === true && env.TERM !== "dumb") return liveDisplay(image, detail, context);
  return lineDisplay(detail, errors);
}

const silence: Display = { ...noLines, show() {} };
