import { stat } from "node:fs/promises";
import type { ExportForm } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import { openTemporaryFile } from "../blob/temporary-file.ts";
import type { AcceptedImage, Operation } from "../operation/operation.ts";
import type { UnpackSettings } from "../operation/options.ts";
import { type ByteOutput, NewFile } from "../output/new-file.ts";
import { isWhole } from "../tree/selection.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { fileSystemTools, uuidOf } from "./file-system-tool.ts";
import type { ArchiveJob } from "./merge-job.ts";
import { mergeLayers, SelectedEntries } from "./merge-layers.ts";
import type { ExportOptions, ExportResult } from "./options.ts";
import { requireWhole, runTool } from "./run-tool.ts";
import type { TreeFacts } from "./tree-facts.ts";
import { makeHashTree, type Verity } from "./verity.ts";

/** An output that is to be made. */
export interface Making {
  readonly operation: Operation;
  readonly accepted: AcceptedImage;
  readonly form: ExportForm;
  readonly output: Pick<ByteOutput, "temporaryDirectory" | "write">;
  /** A file of its own for the hash tree. */
  readonly hashes: NewFile | undefined;
  readonly options: ExportOptions;
}

/** What was made, as the result has it. */
export type MadeOutput = Pick<
  ExportResult,
  "bytes" | "verity" | "entries" | "keptEntries" | "unpackedBytes" | "downloadedBytes"
>;

/** The threads that merge layers. They start in the background. */
export function startThreads({ apply }: UnpackSettings): Pipeline {
  return new Pipeline(apply.limits, "tree-worker");
}

/** Fetches the layers, and writes what they make together. `started` are threads that were started ahead. */
export async function makeOutput(making: Making, started?: Pipeline): Promise<MadeOutput> {
  if (started !== undefined) return await makeWith(started, making);
  await using pipeline = startThreads(making.operation.settings);
  return await makeWith(pipeline, making);
}

async function makeWith(pipeline: Pipeline, making: Making): Promise<MadeOutput> {
  const { operation, accepted, form, output } = making;
  const { settings, events } = operation;
  await using contents = await openTemporaryFile(output.temporaryDirectory);
  let facts: TreeFacts | undefined;
  const totals = await mergeLayers(operation, accepted, {
    pipeline,
    directory: output.temporaryDirectory,
    contents: contents.fd,
    ...(form !== "tar" && { factsOn: settings.selection }),
    onReport(report) {
      if (report.type === "merged") facts = report.facts;
      else events.report(report);
    },
  });
  const selected = new SelectedEntries(events);
  const tree = { pipeline, selected };
  const written = await (facts === undefined ? writeArchive(making, tree) : makeFileSystem(making, tree, facts));
  selected.tellUnmatched(settings.apply.strict);
  return { ...written, ...totals, ...(!isWhole(settings.selection) && { keptEntries: selected.count }) };
}

/** The merged tree, which the pipeline has, and what of it is selected. */
interface MergedLayers {
  readonly pipeline: Pipeline;
  readonly selected: SelectedEntries;
}

/** What was written. */
type Written = Pick<ExportResult, "bytes" | "verity">;

async function writeArchive({ operation, output }: Making, { pipeline, selected }: MergedLayers): Promise<Written> {
  const { signal, settings } = operation;
  const { selection } = settings;
  let bytes = 0;
  const take = async (chunk: Uint8Array) => {
    bytes += chunk.length;
    await output.write(chunk);
  };
  const receiver = { take, onReport: selected.report, signal };
  await pipeline.receive((outlet): ArchiveJob => ({ type: "archive", form: "tar", selection, outlet }), receiver);
  return { bytes };
}

async function makeFileSystem(
  making: Making,
  { pipeline, selected }: MergedLayers,
  facts: TreeFacts,
): Promise<Written> {
  const { operation, accepted, form, output, options } = making;
  const { selection } = operation.settings;
  if (form === "tar" || !(output instanceof NewFile)) throw new TypeError("a file system is made in a file");
  const tool = fileSystemTools[form];
  const { temporaryPath: path } = output;
  const { sizeBytes, sourceDateEpoch = 0, toolPath: searchPath } = options;
  const plan = { path, facts, digest: accepted.image.digest, sourceDateEpoch, sizeBytes };
  const { temporaryDirectory: directory } = output;
  const run = { args: tool.args(plan), env: tool.env(plan), directory, searchPath, signal: operation.signal };
  await runTool(tool, run, async (take, signal) => {
    const receiver = { take, onReport: selected.report, signal };
    await pipeline.receive((outlet): ArchiveJob => ({ type: "archive", form, selection, outlet }), receiver);
  });
  await requireWhole(tool, path, facts.inodes);
  const verity = await addVerity(making, path);
  return { bytes: (await stat(path)).size, ...present({ verity }) };
}

/** Makes the hash tree where one is wanted: behind the file system, or in a file of its own. */
async function addVerity({ operation, accepted, hashes, options }: Making, data: string): Promise<Verity | undefined> {
  if (hashes === undefined && options.verity !== true) return undefined;
  const { digest } = accepted.image;
  const { signal } = operation;
  return await makeHashTree({ data, hashes: hashes?.temporaryPath ?? data, digest, uuid: uuidOf(digest), signal });
}
