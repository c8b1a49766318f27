import type * as Library from "../index.ts";
import { type DecisionLog, resultJson, writeLines, writeText } from "./command-output.ts";
import { givenCredential, openSource, type SourceLibrary } from "./connection.ts";
import { recordingListener, tellPeople, withDisplay } from "./display.ts";
import { parseLimits } from "./limits.ts";
import { terseDisplay } from "./line-display.ts";
import type { VerifyCommand } from "./look-options.ts";
import { demandedTrust, type PolicyLibrary } from "./machine-policy.ts";
import { exitCodes, type ProcessContext } from "./process-context.ts";
import { differenceLines, verdictLines } from "./report.ts";
import { safeText } from "./safe-text.ts";

/** The functions of the library that are used here. */
export type VerifyLibrary = SourceLibrary &
  PolicyLibrary &
  Pick<typeof Library, "verify" | "storedNameFor" | "store" | "defaultLimits">;

/** `oci-unpack verify DIRECTORY [IMAGE]`: compares a root filesystem with its image and lists the differences. */
export async function verifyCommand(
  command: VerifyCommand,
  context: ProcessContext,
  decisionLog: DecisionLog,
  library: VerifyLibrary,
): Promise<number> {
  const limits = parseLimits(command.limits, library.defaultLimits);
  const credential = await givenCredential(command, context);
  const display = terseDisplay(command, context, `comparing ${safeText(command.directory)} with its image`);
  const result = await withDisplay(display, async ({ show }, signal) => {
    const onEvent = recordingListener(show, command, decisionLog);
    const named = await withImage(command, library);
    await using source = await openSource({ command: named, context, limits, credential, onEvent }, library);
    return await library.verify(command.directory, named.image, {
      ...command.options,
      ...(await demandedTrust(command, context, onEvent, library)),
      limits,
      source,
      signal,
      onEvent,
    });
  });

  const { output } = context;
  if (command.json) writeText(output, resultJson(result, decisionLog));
  else writeLines(output, differenceLines(result));
  tellPeople(command.verbosity, context, (paint) => verdictLines(result, paint));
  return result.differenceCount === 0 ? exitCodes.done : exitCodes.different;
}

/** The command with its image. If none was named, it is found in the store, and everything has to come from there. */
async function withImage(
  command: VerifyCommand,
  { store, storedNameFor }: VerifyLibrary,
): Promise<VerifyCommand & { readonly image: string }> {
  const { image, directory } = command;
  if (image !== undefined) return { ...command, image };
  if (command.store === undefined) throw new TypeError("neither an image nor a store is named");
  return { ...command, image: await storedNameFor(directory, store(command.store)), isOffline: true };
}
