import { Buffer } from "node:buffer";
import type * as Library from "../index.ts";
import type { Credential, EventListener, ImageComparison, Limits, Source } from "../index.ts";
import { type DecisionLog, hasReaderLeft, UnfinishedAnswer, writeBytes } from "./command-output.ts";
import { givenCredential, openSource, type SourceLibrary } from "./connection.ts";
import type { DiffCommand } from "./diff-options.ts";
import { comparisonJson, comparisonLines, comparisonVerdict } from "./diff-report.ts";
import { recordingListener, tellPeople, withDisplay } from "./display.ts";
import { parseLimits } from "./limits.ts";
import { terseDisplay } from "./line-display.ts";
import { demandedTrust, type PolicyLibrary } from "./machine-policy.ts";
import { exitCodes, type ProcessContext } from "./process-context.ts";
import { bytesText } from "./quantities.ts";
import { safeText } from "./safe-text.ts";
import { sourceKindOf } from "./source-kind.ts";
import { UsageError } from "./usage-error.ts";

/** The functions of the library that are used here. */
export type DiffLibrary = SourceLibrary &
  PolicyLibrary &
  Pick<typeof Library, "diff" | "parseReference" | "defaultLimits">;

/** `oci-unpack diff IMAGE1 IMAGE2 [PATH]`: compares two images and lists the differences. */
export async function diffCommand(
  command: DiffCommand,
  context: ProcessContext,
  decisionLog: DecisionLog,
  library: DiffLibrary,
): Promise<number> {
  const limits = parseLimits(command.limits, library.defaultLimits);
  insistOnOneRegistry(command, library);
  const credential = await givenCredential(command, context);
  const [image1, image2] = command.images;
  const display = terseDisplay(command, context, `comparing ${safeText(image1)} with ${safeText(image2)}`);
  return await withDisplay(display, async ({ show, say }, signal) => {
    const onEvent = recordingListener(show, command, decisionLog);
    const connection = { command, context, limits, credential, onEvent };
    await using source = await openSourceOf(image1, connection, library);
    await using secondSource = await openSourceOf(image2, connection, library);
    const trust = await demandedTrust(command, context, onEvent, library);
    const options = { ...command.options, ...trust, limits, source, secondSource, signal, onEvent };
    const comparison = library.diff(image1, image2, options);
    const pieces = new Pieces(comparison, command, decisionLog);
    const hasLeft = await hasReaderLeft(writeBytes(context.binaryOutput, pieces, signal)).catch((error: unknown) => {
      throw pieces.isListOpen ? new UnfinishedAnswer(error) : error;
    });
    if (hasLeft) return await answerUnread(comparison);
    const result = await comparison.result;
    if (command.verbosity === "verbose") say(`${bytesText(result.fetchedBytes)} fetched`);
    tellPeople(command.verbosity, context, (paint) => comparisonVerdict(result, paint));
    return result.same ? exitCodes.done : exitCodes.different;
  });
}

/** The exit code where the reader of the output left. What was not told to its end has a difference at least. */
async function answerUnread(comparison: ImageComparison): Promise<number> {
  const result = await comparison.result.catch(() => undefined);
  return result?.same === true ? exitCodes.done : exitCodes.different;
}

/** What the sources of both images are made from. */
interface BothConnections {
  readonly command: DiffCommand;
  readonly context: ProcessContext;
  readonly limits: Partial<Limits>;
  readonly credential: Credential | undefined;
  readonly onEvent: EventListener;
}

function openSourceOf(image: string, connection: BothConnections, library: SourceLibrary): Promise<Source> {
  return openSource({ ...connection, command: { ...connection.command, image } }, library);
}

/** A password that is given for one registry must not reach another. */
function insistOnOneRegistry(
  { username, images }: DiffCommand,
  { parseReference }: Pick<DiffLibrary, "parseReference">,
): void {
  if (username === undefined) return;
  const registries = images.flatMap((image) =>
    sourceKindOf(image) === "registry" ? parseReference(image).registry : [],
  );
  if (new Set(registries).size <= 1) return;
  throw new UsageError(
    `cannot log in: the images are in two registries, ${registries.join(" and ")}, and --username is for one`,
    "keep both logins: oci-unpack login REGISTRY",
  );
}

/** How many characters are written at once. */
const pieceCharacters = 64 * 1024;

/** All that standard output gets, while the differences come: there may be more of them than fit into memory. */
class Pieces implements AsyncIterable<Uint8Array> {
  readonly #texts: AsyncIterable<string>;
  readonly #isJson: boolean;
  /** Whether the list of JSON has begun with the pieces so far, and not ended. */
  isListOpen = false;

  constructor(comparison: ImageComparison, { json }: DiffCommand, decisionLog: DecisionLog) {
    this.#isJson = json;
    this.#texts = json ? comparisonJson(comparison, decisionLog) : comparisonLines(comparison);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let piece = "";
    for await (const text of this.#texts) {
      piece += text;
      if (piece.length < pieceCharacters) continue;
      yield this.#told(piece);
      piece = "";
    }
    if (piece !== "") yield this.#told(piece);
  }

  #told(piece: string): Uint8Array {
    this.isListOpen = this.#isJson && !piece.endsWith("\n");
    return Buffer.from(piece);
  }
}
