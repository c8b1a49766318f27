import type * as Library from "../index.ts";
import type { UnpackOptions } from "../index.ts";
import { givenCredential, openingSource, type SourceLibrary } from "./connection.ts";
import { resultJson } from "./json.ts";
import { parseLimits } from "./limits.ts";
import { paintFor } from "./paint.ts";
import { type ProducingLibrary, produce } from "./produce.ts";
import { progressDisplay } from "./progress.ts";
import { listening, shown } from "./shown.ts";
import { exitCodes, type Surroundings } from "./surroundings.ts";
import type { Trail } from "./trail.ts";
import type { UnpackCommand } from "./unpack-options.ts";
import { writeText } from "./write-text.ts";

/** What this command needs of the library. */
export type UnpackLibrary = SourceLibrary & ProducingLibrary & Pick<typeof Library, "defaultLimits">;

/** `oci-unpack IMAGE DIRECTORY`: unpacks, or makes something else of the image, shows how it goes, tells what came of it. */
export async function unpackCommand(
  command: UnpackCommand,
  surroundings: Surroundings,
  trail: Trail,
  library: UnpackLibrary,
): Promise<number> {
  const limits = parseLimits(command.limits, library.defaultLimits);
  const credential = await givenCredential(command, surroundings);
  const { result, lines } = await shown(progressDisplay(command, surroundings), async ({ show }, signal) => {
    const onEvent = listening(show, command, trail);
    const basis = { command, surroundings, limits, credential, onEvent };
    await using opening = openingSource(basis, library);
    const options = {
      ...command.options,
      ...bundleOf(command, surroundings),
      limits,
      source: opening.source,
      signal,
      onEvent,
    };
    return await produce(command, surroundings, options, library);
  });

  if (command.json) writeText(surroundings.output, resultJson(result, trail));
  if (command.verbosity !== "quiet") {
    const paint = paintFor(surroundings.errors, surroundings.env);
    surroundings.errors.write(`${lines(paint).join("\n")}\n`);
  }
  return exitCodes.done;
}

function bundleOf({ bundle }: UnpackCommand, { uid, gid }: Surroundings): Pick<UnpackOptions, "bundle"> {
  return bundle === "none" ? {} : { bundle: bundle === "for root" ? true : { uid, gid } };
}
