import { pipeline } from "node:stream/promises";
import type * as Library from "../index.ts";
import type { FileReading, LookOptions } from "../index.ts";
import { type DecisionLog, hasReaderLeft, resultJson, writeBytes, writeLines, writeText } from "./command-output.ts";
import { givenCredential, openSource, type SourceLibrary } from "./connection.ts";
import { recordingListener, withDisplay } from "./display.ts";
import { inspectionData, inspectionLines } from "./inspect-report.ts";
import type { ResultData } from "./json-outputs.ts";
import { parseLimits } from "./limits.ts";
import { terseDisplay } from "./line-display.ts";
import type { LookCommand } from "./look-options.ts";
import { listingLines } from "./look-report.ts";
import { demandedTrust, type PolicyLibrary } from "./machine-policy.ts";
import { exitCodes, type ProcessContext } from "./process-context.ts";
import { bytesText } from "./quantities.ts";
import { safeText, terminalText } from "./safe-text.ts";

/** The functions of the library that are used here. */
export type LookLibrary = SourceLibrary &
  PolicyLibrary &
  Pick<typeof Library, "list" | "read" | "inspect" | "defaultLimits">;

/** `oci-unpack ls|cat|inspect IMAGE`: shows what is in an image without unpacking it. */
export async function lookCommand(
  command: LookCommand,
  context: ProcessContext,
  decisionLog: DecisionLog,
  library: LookLibrary,
): Promise<number> {
  const limits = parseLimits(command.limits, library.defaultLimits);
  const credential = await givenCredential(command, context);
  await withDisplay(
    terseDisplay(command, context, `reading ${safeText(command.image)}`),
    async ({ show, say }, signal) => {
      const onEvent = recordingListener(show, command, decisionLog);
      await using source = await openSource({ command, context, limits, credential, onEvent }, library);
      const trust = await demandedTrust(command, context, onEvent, library);
      const options = { ...command.options, ...trust, limits, source, signal, onEvent };
      const fetchedBytes = await answer(command, context, options, { decisionLog, library });
      if (command.verbosity === "verbose") say(`${bytesText(fetchedBytes)} fetched`);
    },
  );
  return exitCodes.done;
}

/** Writes the answer and returns how many bytes were fetched for it. */
async function answer(
  command: LookCommand,
  context: ProcessContext,
  options: LookOptions,
  { decisionLog, library }: { readonly decisionLog: DecisionLog; readonly library: LookLibrary },
): Promise<number> {
  const { image, json } = command;
  const tell = (data: ResultData, lines: Iterable<string>) => {
    if (json) writeText(context.output, resultJson(data, decisionLog));
    else writeLines(context.output, lines);
  };
  switch (command.name) {
    case "ls": {
      const { path, isRecursive: recursive, hasDigests } = command;
      const result = await library.list(image, path, { ...options, recursive, digest: hasDigests });
      tell(result, listingLines(result.entries, { hasDigests }));
      return result.fetchedBytes;
    }
    case "cat":
      return await cat(context, library.read(image, command.path, options), options.signal);
    case "inspect": {
      const result = await library.inspect(image, options);
      tell(inspectionData(result), inspectionLines(result));
      return result.fetchedBytes;
    }
  }
}

/** Writes a file: its bytes to a file or a pipe, but on a terminal escaped, because they may have control sequences. */
async function cat(
  { output, binaryOutput }: ProcessContext,
  reading: FileReading,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (output.isTTY === true) {
    const text = terminalText();
    await Promise.all([
      writeBytes(text, reading, signal).finally(() => text.end()),
      pipeline(text, binaryOutput, { end: false }),
    ]);
  } else if (await hasReaderLeft(writeBytes(binaryOutput, reading, signal))) {
    return 0;
  }
  return (await reading.result).fetchedBytes;
}
