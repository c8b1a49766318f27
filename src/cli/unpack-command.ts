import type { Writable } from "node:stream";
import { present } from "../base/present.ts";
import type * as Library from "../index.ts";
import type { ExportForm, ExportOptions, OverlayOptions, UnpackOptions } from "../index.ts";
import { type DecisionLog, resultJson, writeText } from "./command-output.ts";
import { givenCredential, openingSource, type SourceLibrary } from "./connection.ts";
import { artifactData } from "./descriptor-data.ts";
import { type Display, eventDisplay, type Paint, recordingListener, tellPeople, withDisplay } from "./display.ts";
import type { ImageCommand } from "./image-options.ts";
import type { ResultData } from "./json-outputs.ts";
import { parseLimits } from "./limits.ts";
import { lineDisplay, noLines } from "./line-display.ts";
import { liveDisplay } from "./live-display.ts";
import { demandedTrust, type PolicyLibrary } from "./machine-policy.ts";
import { exitCodes, type ProcessContext } from "./process-context.ts";
import { artifactLines, copyLines, exportLines, overlayLines, resultLines } from "./report.ts";
import type { OutputChoice, UnpackCommand } from "./unpack-options.ts";
import { UsageError } from "./usage-error.ts";

/** The functions of the library that are used here. */
export type UnpackLibrary = SourceLibrary &
  PolicyLibrary &
  Pick<
    typeof Library,
    "unpack" | "unpackOverlay" | "unpackArtifact" | "exportRootfs" | "copy" | "store" | "defaultLimits"
  >;

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
      ...(await demandedTrust(command, context, onEvent, library)),
      ...bundleOf(command, context),
      limits,
      source: opening.source,
      signal,
      onEvent,
    };
    return await makeOutput(command, context, options, library);
  });

  if (command.json) writeText(context.output, resultJson(result, decisionLog));
  tellPeople(command.verbosity, context, lines);
  return exitCodes.done;
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

/** The result as data and as lines for people. */
interface MadeOutput {
  readonly result: ResultData;
  readonly lines: (paint: Paint) => readonly string[];
}

/** Makes the output that the command line asks for. */
async function makeOutput(
  command: UnpackCommand,
  context: ProcessContext,
  options: UnpackOptions,
  library: UnpackLibrary,
): Promise<MadeOutput> {
  const { image, directory, output } = command;
  switch (output.form) {
    case "rootfs": {
      const result = await library.unpack(image, directory, options);
      return { result, lines: (paint) => resultLines(result, paint) };
    }
    case "files": {
      const result = await library.unpackArtifact(image, directory, options);
      return { result: artifactData(result), lines: (paint) => artifactLines(result, paint) };
    }
    case "overlay": {
      const result = await library.unpackOverlay(image, directory, overlayOptions(command, options, library));
      return { result, lines: (paint) => overlayLines(result, paint) };
    }
    case "tar":
    case "erofs":
    case "squashfs":
    case "ext4": {
      const destination = directory === "-" ? archiveOutput(context) : directory;
      const result = await library.exportRootfs(image, destination, exportOptions(output, context, options));
      return { result, lines: (paint) => exportLines(result, paint) };
    }
    default: {
      const { form, allPlatforms, signatures } = output;
      const destination = directory === "-" ? archiveOutput(context) : directory;
      const result = await library.copy(image, destination, { ...options, form, allPlatforms, signatures });
      return { result, lines: (paint) => copyLines(result, directory, paint) };
    }
  }
}

function overlayOptions(
  { output, store }: UnpackCommand,
  options: UnpackOptions,
  library: UnpackLibrary,
): OverlayOptions {
  const { kind, mount } = output.form === "overlay" ? output : {};
  return present({
    ...options,
    overlay: kind,
    mount,
    store: store === undefined ? undefined : library.store(store, present({ limits: options.limits })),
  });
}

function exportOptions(
  output: Extract<OutputChoice, { readonly form: ExportForm }>,
  { env }: ProcessContext,
  options: UnpackOptions,
): ExportOptions {
  // mke2fs may be in a directory for system administration, which a user's PATH often does not have.
  const toolPath = env.PATH ? `${env.PATH}:/usr/sbin:/sbin` : undefined;
  return present({ ...options, ...output, toolPath });
}

function archiveOutput({ output, binaryOutput }: ProcessContext): Writable {
  if (!output.isTTY) return binaryOutput;
  throw new UsageError("cannot write an archive to a terminal", "redirect standard output, or name a file with -o");
}
