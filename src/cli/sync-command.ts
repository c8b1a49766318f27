import type * as Library from "../index.ts";
import { type DecisionLog, resultJson, writeLines, writeText } from "./command-output.ts";
import { givenCredential, openSource, type SourceLibrary } from "./connection.ts";
import { recordingListener, tellPeople, withDisplay } from "./display.ts";
import { parseLimits } from "./limits.ts";
import { terseDisplay } from "./line-display.ts";
import { demandedTrust, type PolicyLibrary } from "./machine-policy.ts";
import { exitCodes, type ProcessContext } from "./process-context.ts";
import { safeText } from "./safe-text.ts";
import type { SyncCommand } from "./sync-options.ts";
import { syncDifferenceLines, syncLines } from "./sync-report.ts";
import { bundleOf } from "./unpack-command.ts";

/** The functions of the library that are used here. */
export type SyncLibrary = SourceLibrary & PolicyLibrary & Pick<typeof Library, "sync" | "defaultLimits">;

/** `oci-unpack sync DIRECTORY IMAGE`: makes a directory what an image says, or lists what that would change. */
export async function syncCommand(
  command: SyncCommand,
  context: ProcessContext,
  decisionLog: DecisionLog,
  library: SyncLibrary,
): Promise<number> {
  const limits = parseLimits(command.limits, library.defaultLimits);
  const credential = await givenCredential(command, context);
  const display = terseDisplay(command, context, `comparing ${safeText(command.directory)} with the image`);
  const result = await withDisplay(display, async ({ show }, signal) => {
    const onEvent = recordingListener(show, command, decisionLog);
    await using source = await openSource({ command, context, limits, credential, onEvent }, library);
    return await library.sync(command.image, command.directory, {
      ...command.options,
      ...(await demandedTrust(command, context, onEvent, library)),
      ...bundleOf(command, context),
      limits,
      source,
      signal,
      onEvent,
    });
  });

  const { output } = context;
  const { differences } = result;
  if (command.json) writeText(output, resultJson(result, decisionLog));
  else if (differences !== undefined) writeLines(output, syncDifferenceLines(differences));
  tellPeople(command.verbosity, context, (paint) => syncLines(result, paint));
  const isDone = differences === undefined || (differences.length === 0 && !result.configChanged);
  return isDone ? exitCodes.done : exitCodes.different;
}
