import type * as Library from "../index.ts";
import { givenCredential, openSource, type SourceLibrary } from "./connection.ts";
import { resultJson } from "./json.ts";
import { parseLimits } from "./limits.ts";
import { paintFor } from "./paint.ts";
import { safeText } from "./safe-text.ts";
import { listening, shown } from "./shown.ts";
import { exitCodes, type Surroundings } from "./surroundings.ts";
import { terseDisplay } from "./terse-display.ts";
import type { Trail } from "./trail.ts";
import type { VerifyCommand } from "./verify-options.ts";
import { differenceLines, verdictLines } from "./verify-report.ts";
import { writeLines, writeText } from "./write-text.ts";

/** What this command needs of the library. */
export type VerifyLibrary = SourceLibrary &
  Pick<typeof Library, "verify" | "storedNameFor" | "store" | "defaultLimits">;

/** `oci-unpack verify DIRECTORY [IMAGE]`: tells where a root filesystem is not what its image says. */
export async function verifyCommand(
  command: VerifyCommand,
  surroundings: Surroundings,
  trail: Trail,
  library: VerifyLibrary,
): Promise<number> {
  const limits = parseLimits(command.limits, library.defaultLimits);
  const credential = await givenCredential(command, surroundings);
  const display = terseDisplay(command, surroundings, `comparing ${safeText(command.directory)} with its image`);
  const result = await shown(display, async ({ show }, signal) => {
    const onEvent = listening(show, command, trail);
    const named = await withImage(command, library);
    await using source = await openSource({ command: named, surroundings, limits, credential, onEvent }, library);
    return await library.verify(command.directory, named.image, {
      ...command.options,
      limits,
      source,
      signal,
      onEvent,
    });
  });

  const { output, errors, env } = surroundings;
  if (command.json) writeText(output, resultJson(result, trail));
  else writeLines(output, differenceLines(result));
  if (command.verbosity !== "quiet") errors.write(`${verdictLines(result, paintFor(errors, env)).join("\n")}\n`);
  return result.differenceCount === 0 ? exitCodes.done : exitCodes.different;
}

/** Where no image is named, the store has it, all of it: nobody else is asked, and nothing is written. */
async function withImage(
  command: VerifyCommand,
  { store, storedNameFor }: VerifyLibrary,
): Promise<VerifyCommand & { readonly image: string }> {
  const { image, directory } = command;
  if (image !== undefined) return { ...command, image };
  if (command.store === undefined) throw new TypeError("neither an image nor a store is named");
  return { ...command, image: await storedNameFor(directory, store(command.store)), isOffline: true };
}
