import type * as Library from "../index.ts";
import type { HistoryResult, LayerHistory, ListedEntry, PathHistoryEvent } from "../index.ts";
import { type DecisionLog, resultJson, writeLines, writeText } from "./command-output.ts";
import { givenCredential, openSource, type SourceLibrary } from "./connection.ts";
import { recordingListener, withDisplay } from "./display.ts";
import { parseLimits } from "./limits.ts";
import { terseDisplay } from "./line-display.ts";
import type { HistoryCommand } from "./look-options.ts";
import { listingLines } from "./look-report.ts";
import { demandedTrust, type PolicyLibrary } from "./machine-policy.ts";
import { exitCodes, type ProcessContext } from "./process-context.ts";
import { bytesText } from "./quantities.ts";
import { safeText } from "./safe-text.ts";

/** The functions of the library that are used here. */
export type HistoryLibrary = SourceLibrary & PolicyLibrary & Pick<typeof Library, "history" | "defaultLimits">;

/** `oci-unpack history IMAGE [PATH]`: tells what each layer did, or what was done to a path. */
export async function historyCommand(
  command: HistoryCommand,
  context: ProcessContext,
  decisionLog: DecisionLog,
  library: HistoryLibrary,
): Promise<number> {
  const limits = parseLimits(command.limits, library.defaultLimits);
  const credential = await givenCredential(command, context);
  const display = terseDisplay(command, context, `reading ${safeText(command.image)}`);
  const result = await withDisplay(display, async ({ show }, signal) => {
    const onEvent = recordingListener(show, command, decisionLog);
    await using source = await openSource({ command, context, limits, credential, onEvent }, library);
    const trust = await demandedTrust(command, context, onEvent, library);
    return await library.history(command.image, command.path, {
      ...command.options,
      ...trust,
      limits,
      source,
      signal,
      onEvent,
    });
  });
  if (command.json) writeText(context.output, resultJson(result, decisionLog));
  else writeLines(context.output, historyLines(result, command.path));
  return exitCodes.done;
}

/** The result as lines for people. */
export function* historyLines(result: HistoryResult, asked: string | undefined): Iterable<string> {
  if (result.path === undefined) return yield* layerLines(result.layers);
  const path = result.path === "." ? "/" : result.path;
  if (asked !== undefined && plain(asked) !== plain(path)) yield `${safeText(asked)} is ${safeText(path)}`;
  yield* (result.events ?? []).map(eventLine);
  yield* nowLines(result.now ?? undefined);
}

/** A path as it is compared with another one. */
function plain(path: string): string {
  return path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .join("/");
}

/** `L2    12.3 MB  +120  ~3  -1  2026-01-31 17:05  RUN apt-get …` */
function layerLines(layers: readonly LayerHistory[]): string[] {
  const columns = layers.map(({ layer, sizeBytes, added, changed, removed, ...step }) => [
    `L${layer + 1}`,
    bytesText(sizeBytes),
    `+${added}`,
    `~${changed}`,
    `-${removed}`,
    ...stepTexts(step),
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...columns.map((texts) => texts[column]?.length ?? 0)));
  return columns.map(([layer = "", ...rest]) => {
    const numbers = rest.slice(0, 4).map((text, column) => text.padStart(widths[column + 1] ?? 0));
    return [layer.padEnd(widths[0] ?? 0), ...numbers, ...rest.slice(4)].join("  ").trimEnd();
  });
}

/** `L2  replaced: size, content  2026-01-31 17:05  RUN apt-get …` */
function eventLine({ layer, kind, parts, ...step }: PathHistoryEvent): string {
  const what = parts === undefined ? kind : `${kind}: ${parts.join(", ")}`;
  return [`L${layer + 1}`.padEnd(4), what, ...stepTexts(step)].join("  ").trimEnd();
}

function nowLines(now: ListedEntry | undefined): Iterable<string> {
  return now === undefined ? ["now: nothing"] : listingLines([now], { hasDigests: false });
}

/** How much of an instruction is shown. */
const shownCharacters = 100;

function stepTexts({ created, createdBy }: Pick<LayerHistory, "created" | "createdBy">): string[] {
  const when = created === undefined ? "" : created.slice(0, 16).replace("T", " ");
  const instruction = (createdBy ?? "").replaceAll(/\s+/g, " ").slice(0, shownCharacters);
  return [safeText(when), safeText(instruction)].filter((text) => text !== "");
}
