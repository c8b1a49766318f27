import { present } from "../base/present.ts";
import type * as Library from "../index.ts";
import type { EventListener, Store, StoredImageEntry, StoreFindings } from "../index.ts";
import { withDisplay } from "./display.ts";
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
  const say = (result: unknown, lines: readonly string[]) =>
    context.output.write(command.json ? `${safeJson(result)}\n` : lines.map((line) => `${line}\n`).join(""));
  const display = terseDisplay({ verbosity: "normal", explain: false }, context, doing[command.action]);
  return await withDisplay(display, ({ show }, signal) => perform(opened, command, { signal, onEvent: show }, say));
}

/** What is being done, for the display. */
const doing: Readonly<Record<StoreCommand["action"], string>> = {
  list: "reading what the store has",
  verify: "reading the blobs of the store",
  prune: "looking for what no image of the store needs",
};

async function perform(
  opened: Store,
  command: StoreCommand,
  { signal, onEvent }: { readonly signal: AbortSignal; readonly onEvent: EventListener },
  say: (result: unknown, lines: readonly string[]) => void,
): Promise<number> {
  switch (command.action) {
    case "list": {
      const images = await opened.list({ signal });
      say(images, images.length === 0 ? ["the store is empty"] : images.map(imageLine));
      return exitCodes.done;
    }
    case "verify": {
      const findings = await opened.verify({ signal });
      say(findings, findingLines(findings));
      return findings.corrupt.length + findings.missing.length === 0 ? exitCodes.done : exitCodes.failed;
    }
    case "prune":
      return await prune(opened, command, { signal, onEvent }, say);
  }
}

async function prune(
  opened: Store,
  { maxBytes, forgetAbsent }: StoreCommand,
  options: { readonly signal: AbortSignal; readonly onEvent: EventListener },
  say: (result: unknown, lines: readonly string[]) => void,
): Promise<number> {
  const result = await opened.prune(present({ ...options, forgetAbsent, maxBytes }));
  const removed = result.removedImages.map((name) => `removed ${safeText(name)}`);
  const absent = result.absentOverlays.map(
    (directory) => `kept the layers of ${safeText(directory)}, which is not there`,
  );
  const hint = absent.length === 0 ? [] : ["they stay for 30 days; --forget-absent lets them go"];
  say(result, [
    ...removed,
    ...absent,
    ...hint,
    `freed ${bytesText(result.freedBytes)}, kept ${bytesText(result.keptBytes)}`,
  ]);
  return exitCodes.done;
}

/** `2026-01-31 17:05  54.0 MB  sha256:0123456789ab  docker.io/library/debian:stable` */
function imageLine({ name, digest, sizeBytes, lastUsed }: StoredImageEntry): string {
  const when = lastUsed.toISOString().slice(0, 16).replace("T", " ");
  const short = digest.slice(0, digest.indexOf(":") + 13);
  return `${when}  ${bytesText(sizeBytes).padStart(8)}  ${short}  ${name === undefined ? "(no name)" : safeText(name)}`;
}

function findingLines({ blobs, corrupt, missing }: StoreFindings): readonly string[] {
  const lines = [
    ...corrupt.map((digest) => `corrupt: ${digest}`),
    ...missing.map((digest) => `missing: ${digest}`),
    `${counted(blobs, "blob")} read, ${corrupt.length} corrupt, ${missing.length} missing`,
  ];
  const isRight = corrupt.length + missing.length === 0;
  return isRight ? lines : [...lines, "what is corrupt or missing is fetched again when it is needed"];
}
