import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isErrno } from "../base/system-error.ts";
import type * as Library from "../index.ts";
import type { LookOptions } from "../index.ts";
import { givenCredential, openSource, type SourceLibrary } from "./connection.ts";
import { inspectionData, inspectionLines } from "./inspection.ts";
import { resultJson } from "./json.ts";
import { parseLimits } from "./limits.ts";
import { listingLines } from "./listing.ts";
import type { LookCommand } from "./look-options.ts";
import { bytesText } from "./quantities.ts";
import { safeText } from "./safe-text.ts";
import { listening, shown } from "./shown.ts";
import { exitCodes, type Surroundings } from "./surroundings.ts";
import { terminalText } from "./terminal-text.ts";
import { terseDisplay } from "./terse-display.ts";
import type { Trail } from "./trail.ts";
import { writeLines, writeText } from "./write-text.ts";

/** What these commands need of the library. */
export type LookLibrary = SourceLibrary & Pick<typeof Library, "list" | "read" | "inspect" | "defaultLimits">;

/** `oci-unpack ls|cat|inspect IMAGE`: tells what is in an image without unpacking it. */
export async function lookCommand(
  command: LookCommand,
  surroundings: Surroundings,
  trail: Trail,
  library: LookLibrary,
): Promise<number> {
  const limits = parseLimits(command.limits, library.defaultLimits);
  const credential = await givenCredential(command, surroundings);
  await shown(
    terseDisplay(command, surroundings, `reading ${safeText(command.image)}`),
    async ({ show, say }, signal) => {
      const onEvent = listening(show, command, trail);
      await using source = await openSource({ command, surroundings, limits, credential, onEvent }, library);
      const options = { ...command.options, limits, source, signal, onEvent };
      const fetchedBytes = await answer(command, surroundings, options, { trail, library });
      if (command.verbosity === "verbose") say(`${bytesText(fetchedBytes)} fetched`);
    },
  );
  return exitCodes.done;
}

/** Gives how many bytes the answer cost. */
async function answer(
  command: LookCommand,
  surroundings: Surroundings,
  options: LookOptions,
  { trail, library }: { readonly trail: Trail; readonly library: LookLibrary },
): Promise<number> {
  const { image, json } = command;
  const tell = (data: object, lines: Iterable<string>) => {
    if (json) writeText(surroundings.output, resultJson(data, trail));
    else writeLines(surroundings.output, lines);
  };
  switch (command.name) {
    case "ls": {
      const result = await library.list(image, command.path, { ...options, recursive: command.isRecursive });
      tell(result, listingLines(result.entries));
      return result.fetchedBytes;
    }
    case "cat":
      return await cat(surroundings, (stream) => library.read(image, command.path, stream, options));
    case "inspect": {
      const result = await library.inspect(image, options);
      tell(inspectionData(result), inspectionLines(result));
      return result.fetchedBytes;
    }
  }
}

/** Bytes go to files and pipes as they are; a terminal would obey some of them. */
async function cat(
  { output, binaryOutput }: Surroundings,
  read: (stream: Writable) => Promise<{ readonly fetchedBytes: number }>,
): Promise<number> {
  if (output.isTTY !== true) return await unlessReaderLeft(async () => (await read(binaryOutput)).fetchedBytes);
  const text = terminalText();
  const [{ fetchedBytes }] = await Promise.all([
    read(text).finally(() => text.end()),
    pipeline(text, binaryOutput, { end: false }),
  ]);
  return fetchedBytes;
}

/** Whoever reads the beginning of a file and goes away (`| head`) has got what was wanted. */
async function unlessReaderLeft(read: () => Promise<number>): Promise<number> {
  try {
    return await read();
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (isErrno(cause, "EPIPE")) return 0;
    throw error;
  }
}
