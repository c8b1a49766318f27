import { readFile } from "node:fs/promises";
import { OciUnpackError, type OciUnpackEvent, registrySource, unpack } from "../../src/index.ts";
import { footprint } from "./footprint.ts";
import type { ProbeMessage, ProbeOutcome, ProbeRequest } from "./probe.ts";

// A host of its own for one unpacking: what the library leaves behind in a process can only be counted in one that does
// nothing else. It is told what to do by its argument and tells its parent what it saw.

const request = JSON.parse(process.argv[2] ?? "") as ProbeRequest;
const controller = new AbortController();

await startWhatNodeStartsOnce();
const before = footprint();
const outcome = await unpacking();
const after = footprint(); // at once: whatever takes its time to go away has been left behind
tell({ type: "report", outcome, before, after });
process.disconnect();

async function unpacking(): Promise<ProbeOutcome> {
  const { reference, directory, options, retries } = request;
  try {
    await using source = retries === undefined ? undefined : registrySource({ retries });
    const given = source === undefined ? options : { ...options, source };
    const result = await unpack(reference, directory, { ...given, signal: controller.signal, onEvent });
    return { type: "unpacked", result };
  } catch (error) {
    if (error === controller.signal.reason) return { type: "aborted" };
    if (error instanceof OciUnpackError) return { type: "failed", code: error.code, message: error.message };
    return { type: "failed", message: String(error) };
  }
}

function onEvent(event: OciUnpackEvent): void {
  tell({ type: "event", event });
  if (request.end?.at !== event.type) return;
  if (request.end.how === "throw") throw new Error("the listener had enough");
  if (request.end.how === "abort") controller.abort(new Error("the caller had enough"));
}

/** Node starts its thread pool and opens its standard streams when they are first used, and keeps them. */
async function startWhatNodeStartsOnce(): Promise<void> {
  await Promise.all(Array.from({ length: 8 }, () => readFile(new URL(import.meta.url))));
  process.stdout.write("");
  process.stderr.write("");
}

function tell(message: ProbeMessage): void {
  process.send?.(message);
}
