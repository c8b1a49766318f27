import type * as Library from "../index.ts";
import type { UnpackOptions } from "../index.ts";
import { type DecisionLog, resultJson, writeText } from "./command-output.ts";
import { givenCredential, openingSource, type SourceLibrary } from "./connection.ts";
import { type Display, eventDisplay, type Paint, recordingListener, tellPeople, withDisplay } from "./display.ts";
import type { ImageCommand } from "./image-options.ts";
import type { ResultData } from "./json-outputs.ts";
import { parseLimits } from "./limits.ts";
import { lineDisplay, noLines } from "./line-display.ts";
import { liveDisplay } from "./live-display.ts";
import { demandedTrust, type PolicyLibrary } from "./machine-policy.ts";
import { exitCodes, type ProcessContext } from "./process-context.ts";
import { resultLines } from "./report.ts";
import type { UnpackCommand } from "./unpack-options.ts";

/** What of the library is used here. */
export type UnpackLibrary = SourceLibrary & PolicyLibrary & Pick<typeof Library, "defaultLimits">;

/** Makes the output that a command line asks for. */
export type MakeOutput = (
  command: UnpackCommand,
  context: ProcessContext,
  options: UnpackOptions,
) => Promise<ShownOutput>;

/** The result as data and as lines for people. */
export interface ShownOutput {
  readonly result: ResultData;
  readonly lines: (paint: Paint) => readonly string[];
}

/** `oci-unpack IMAGE DIRECTORY`: unpacks an image, or makes another output of it, shows the progress and the result. */
export async function unpackCommand(
  command: UnpackCommand,
  context: ProcessContext,
  decisionLog: DecisionLog,
  library: UnpackLibrary,
  makeOutput: MakeOutput,
): Promise<number> {
  const limits = parseLimits(command.limits, library.defaultLimits);
  const credential = await givenCredential(command, context);
  const { result, lines } = await withDisplay(progressDisplay(command, context), async ({ show }, signal) => {
    const onEvent = recordingListener(show, command, decisionLog);
    const connection = { command, context, limits, credential, onEvent };
    await using opening = openingSource(connection, library);
    const options = {
      ...command.options,
      ...(await demandedTrust(command, context, onEvent, library)),
      ...bundleOf(command, context),
      limits,
      source: opening.source,
      signal,
      onEvent,
    };
    return await makeOutput(command, context, options);
  });

  if (command.json) writeText(context.output, resultJson(result, decisionLog));
  tellPeople(command.verbosity, context, lines);
  return exitCodes.done;
}

/** Makes a root filesystem, the usual output. */
export function rootfsMaker({ unpack }: Pick<typeof Library, "unpack">): MakeOutput {
  return async ({ image, directory }, _context, options) => {
    const result = await unpack(image, directory, options);
    return { result, lines: (paint) => resultLines(result, paint) };
  };
}

/** Whether a bundle is wanted, and for whom. */
export function bundleOf(
  { bundle }: Pick<UnpackCommand, "bundle">,
  { uid, gid }: ProcessContext,
): Pick<UnpackOptions, "bundle"> {
  return bundle === "none" ? {} : { bundle: bundle === "for root" ? true : { uid, gid } };
}

/** The display for standard error: a live one on a terminal, otherwise lines, and nothing with `--quiet`. */
function progressDisplay({ image, verbosity, explain }: ImageCommand, context: ProcessContext): Display {
  const { errors, env } = context;
  if (verbosity === "quiet") return silence;
  if (verbosity === "events") return eventDisplay(context);
  const detail = { verbose: verbosity === "verbose", explain };
  if (errors.isTTY === true && env.TERM !== "dumb") return liveDisplay(image, detail, context);
  return lineDisplay(detail, errors);
}

const silence: Display = { ...noLines, show() {} };
