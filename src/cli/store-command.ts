import { present } from "../base/present.ts";
import type * as Library from "../index.ts";
import type { EventListener, Store, StoreEntry, StoreFindings } from "../index.ts";
import { withDisplay } from "./display.ts";
import type { JsonOutputs, StoreListData } from "./json-outputs.ts";
import { parseLimits } from "./limits.ts";
import { terseDisplay } from "./line-display.ts";
import { exitCodes, type ProcessContext } from "./process-context.ts";
import { bytesText, counted } from "./quantities.ts";
import { safeJson, safeText } from "./safe-text.ts";
import type { StoreCommand } from "./store-options.ts";

/** The functions of the library that are used here. */
export type StoreLibrary = Pick<typeof Library, "store" | "defaultLimits">;

/** `oci-unpack store list|verify|prune`: lists what is in a store, verifies it, or makes it smaller. */
export async function storeCommand(
  command: StoreCommand,
  context: ProcessContext,
  library: StoreLibrary,
): Promise<number> {
  const opened = library.store(command.directory, { limits: parseLimits(command.limits, library.defaultLimits) });
  const say = (result: StoreData, lines: readonly string[]) =>
    context.output.write(command.json ? `${safeJson(result)}\n` : lines.map((line) => `${line}\n`).join(""));
  const display = terseDisplay({ verbosity: command.verbosity, explain: false }, context, doing[command.action]);
  return await withDisplay(display, ({ show }, signal) => perform(opened, command, { signal, onEvent: show }, say));
}

/** What the command prints as JSON. */
type StoreData = JsonOutputs["store-list" | "store-verify" | "store-prune"];

/** What is being done, for the display. */
const doing: Readonly<Record<StoreCommand["action"], string>> = {
  list: "reading what the store has",
  verify: "reading all that the store has",
  prune: "looking for what no image of the store needs",
};

async function perform(
  opened: Store,
  command: StoreCommand,
  { signal, onEvent }: { readonly signal: AbortSignal; readonly onEvent: EventListener },
  say: (result: StoreData, lines: readonly string[]) => void,
): Promise<number> {
  switch (command.action) {
    case "list": {
      const entries = await opened.list({ signal });
      say(listData(entries), entries.length === 0 ? ["the store is empty"] : entries.map(entryLine));
      return exitCodes.done;
    }
    case "verify": {
      const findings = await opened.verify({ signal });
      say(findings, findingLines(findings));
      return isRight(findings) ? exitCodes.done : exitCodes.failed;
    }
    case "prune":
      return await prune(opened, command, { signal, onEvent }, say);
  }
}

async function prune(
  opened: Store,
  { maxBytes, forgetAbsent }: StoreCommand,
  options: { readonly signal: AbortSignal; readonly onEvent: EventListener },
  say: (result: StoreData, lines: readonly string[]) => void,
): Promise<number> {
  const result = await opened.prune(present({ ...options, forgetAbsent, maxBytes }));
  const removed = result.removedImages.map((name) => `removed ${safeText(name)}`);
  const absent = result.absentOverlays.map(
    (directory) => `kept the layers of ${safeText(directory)}, which is not there`,
  );
  const others = [
    { count: result.removedLayers, text: counted(result.removedLayers, "layer") },
    { count: result.removedIndexes, text: counted(result.removedIndexes, "index", "indexes") },
    { count: result.removedOutputs, text: counted(result.removedOutputs, "output") },
    { count: result.removedTrees, text: counted(result.removedTrees, "tree") },
  ];
  const counts = others.filter(({ count }) => count > 0).map(({ text }) => `removed ${text}`);
  const hint = absent.length === 0 ? [] : ["they stay for 30 days; --forget-absent lets them go"];
  say(result, [
    ...removed,
    ...counts,
    ...absent,
    ...hint,
    `freed ${bytesText(result.freedBytes)}, kept ${bytesText(result.keptBytes)}`,
  ]);
  return exitCodes.done;
}

/** The list for JSON. */
function listData(entries: readonly StoreEntry[]): StoreListData {
  return {
    entries: entries.map(({ lastUsed, ...entry }) => {
      return { ...entry, lastUsedSeconds: Math.floor(lastUsed.getTime() / 1000) };
    }),
  };
}

/** `2026-01-31 17:05  54.0 MB  image   docker.io/library/debian:stable  sha256:0123456789ab` */
function entryLine({ kind, name, form, digest, sizeBytes, lastUsed }: StoreEntry): string {
  const when = lastUsed.toISOString().slice(0, 16).replace("T", " ");
  const short = digest?.slice(0, digest.indexOf(":") + 13);
  const words = [name === undefined ? "(no name)" : safeText(name), form && safeText(form), short];
  return [when, bytesText(sizeBytes).padStart(8), kind.padEnd(6), ...words.filter((word) => word !== undefined)].join(
    "  ",
  );
}

/** `damaged: output docker.io/library/debian:stable erofs in /var/cache/store/outputs/…` */
function damageLine({ kind, name, form, path }: StoreFindings["damaged"][number]): string {
  const words = [kind, name, form].flatMap((word) => (word === undefined ? [] : [safeText(word)]));
  return `damaged: ${words.join(" ")} in ${safeText(path)}`;
}

function isRight({ corrupt, missing, damaged }: StoreFindings): boolean {
  return corrupt.length + missing.length + damaged.length === 0;
}

function findingLines(findings: StoreFindings): readonly string[] {
  const { blobs, corrupt, missing, indexes, outputs, trees, damaged } = findings;
  const read = [
    counted(blobs, "blob"),
    ...(indexes === 0 ? [] : [counted(indexes, "index", "indexes")]),
    ...(outputs === 0 ? [] : [counted(outputs, "output")]),
    ...(trees === 0 ? [] : [counted(trees, "tree")]),
  ];
  const lines = [
    ...corrupt.map((digest) => `corrupt: ${digest}`),
    ...missing.map((digest) => `missing: ${digest}`),
    ...damaged.map(damageLine),
    `${read.join(", ")} read, ${corrupt.length} corrupt, ${missing.length} missing, ${damaged.length} damaged`,
  ];
  return isRight(findings)
    ? lines
    : [...lines, "what is not as it should be is fetched or made again when it is needed"];
}
