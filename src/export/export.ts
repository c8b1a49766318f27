import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { OciUnpackError } from "../base/errors.ts";
import { check, checkOptions, count, type Kinds, pathOrStream, text, word } from "../base/option-checks.ts";
import { openTemporaryFile } from "../blob/temporary-file.ts";
import { resolveKinds } from "../image/options.ts";
import { type Image, resolveImage } from "../image/resolve.ts";
import { EventLog } from "../operation/event-log.ts";
import { fetchAndConsume, numberedLayers, resolved } from "../operation/fetch-layers.ts";
import { applyKinds, filesKinds } from "../operation/option-kinds.ts";
import type { UnpackOptions, UnpackResult } from "../operation/options.ts";
import { settle } from "../operation/settings.ts";
import { NewFile, StreamOutput } from "../output/new-file.ts";
import { openSource } from "../source/default-source.ts";
import type { SelectionPatterns } from "../tree/selection.ts";
import { isWhole } from "../tree/selection.ts";
import type { EngineReport } from "../worker/messages.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { Progress } from "../worker/progress.ts";
import type { TreeFacts } from "./facts.ts";
import { fileSystemTools } from "./file-system-tool.ts";
import { type ExportForm, exportForms } from "./form.ts";
import type { ArchiveJob, MergeJob, MergeReport } from "./merge-job.ts";
import { insistOnTool, runTool } from "./run-tool.ts";
import { SelectedEntries } from "./selected-entries.ts";

type NotForExport = "bundle" | "mtree" | "owner" | "recordOwners" | "uidMap" | "gidMap";

/** Of the options of an unpacking those that mean something where no files are made. Owners are always the image's. */
export interface ExportOptions extends Omit<UnpackOptions, NotForExport> {
  /**
   * An archive, or a file system that can be mounted: read-only ones (erofs, squashfs), or one that can be written to
   * (ext4). Default: "tar".
   */
  readonly form?: ExportForm;
  /** How large an ext4 file system is to be. Default: as large as it must be, and a little more. */
  readonly sizeBytes?: number;
  /** Where the programs that make file systems are looked for, as PATH has it. Default: where systems have theirs. */
  readonly toolPath?: string;
}

const exportKinds: Kinds<ExportOptions> = {
  ...resolveKinds,
  xattrInclude: applyKinds.xattrInclude,
  xattrExclude: applyKinds.xattrExclude,
  devices: applyKinds.devices,
  keepDirlinks: applyKinds.keepDirlinks,
  sourceDateEpoch: applyKinds.sourceDateEpoch,
  include: filesKinds.include,
  exclude: filesKinds.exclude,
  form: word(...exportForms),
  sizeBytes: count,
  toolPath: text,
};

export interface ExportResult extends Omit<UnpackResult, "rootfs" | "config" | "mtree"> {
  readonly form: ExportForm;
  /** Absolute path of the file; absent where the archive went into a stream. */
  readonly file?: string;
  /** The size of what was written. */
  readonly bytes: number;
}

/**
 * Downloads an image and writes its root filesystem into one file: layers merged, whiteouts resolved. As a tar archive it
 * has every attribute; what a file system has no place for is told like what an unpacking leaves out. The same image
 * always makes the same bytes.
 *
 * `destination` is a file that does not exist yet or, for an archive, a stream. Nothing is written before every digest,
 * size and diffID was right; meanwhile the data of files wait in an unnamed file beside the destination, or for a stream
 * in the directory for temporary files. Memory is needed for names and attributes alone.
 *
 * File systems are made by `mkfs.erofs`, `sqfstar` and `mke2fs`, as whoever calls this, and without root.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function exportRootfs(
  name: string,
  destination: string | URL | Writable,
  options: ExportOptions = {},
): Promise<ExportResult> {
  const startedAt = performance.now();
  check("name", name, text);
  checkOptions(options, exportKinds);
  const target = pathOrStream("destination", destination);
  const settings = settle(options);
  const form = settleForm(options.form, target);
  const account = new EventLog(options);
  account.signal.throwIfAborted();
  if (form !== "tar") await insistOnTool(fileSystemTools[form], options.toolPath);

  await using opened = openSource(name, options);
  const source = (await opened.source).image(name);
  const isPath = typeof target === "string";
  await using output = isPath ? await NewFile.open(target) : new StreamOutput(target, account.signal);
  await using pipeline = new Pipeline(settings.apply.limits, "tree-worker"); // while the network is asked, the threads start
  const image = await resolveImage(source, { ...options, signal: account.signal, onEvent: account.tell });
  const layers = numberedLayers(image);
  account.tell(resolved(image));

  const { temporaryDirectory: directory } = output;
  await using contents = await openTemporaryFile(directory);
  const progress = Progress.forLayers(layers.length);
  const selected = new SelectedEntries(account);
  const exporting = { image, form, output, pipeline, account, options, selection: settings.selection, selected };
  let facts: TreeFacts | undefined;
  const onReport = (report: EngineReport | MergeReport) => {
    if (report.type === "merged") facts = report.facts;
    else account.report(report);
  };
  const fetching = { image, layers, source, directory, pipeline, progress, account, settings, onReport };
  const storedBytes = await fetchAndConsume(
    fetching,
    (input): MergeJob => ({
      ...{ type: "merge", input, progress: progress.shared, layers: layers.length, contents: contents.fd },
      ...(form !== "tar" && { factsOn: settings.selection }),
      ...{ sandbox: settings.sandbox, settings: settings.apply },
    }),
  );
  const bytes = await (facts === undefined ? writeArchive(exporting) : makeFileSystem(exporting, facts));
  exporting.selected.tellUnmatched(settings.apply.strict);
  account.signal.throwIfAborted();
  await output.commit();

  const totals = progress.totals();
  const milliseconds = performance.now() - startedAt;
  const file = isPath ? resolve(target) : undefined;
  account.tell({ type: "finished", digest: image.digest, output: file ?? "-", milliseconds });
  return {
    reference: image.reference,
    digest: image.digest,
    platform: image.platform,
    form,
    ...(file !== undefined && { file }),
    bytes,
    layers: image.layers.length,
    ...totals,
    ...(!isWhole(settings.selection) && { keptEntries: selected.count }),
    downloadedBytes: totals.downloadedBytes - storedBytes,
    ...account.summary(),
    milliseconds,
  };
}

function settleForm(form: ExportForm = "tar", destination: string | Writable): ExportForm {
  if (form === "tar" || typeof destination === "string") return form;
  throw new OciUnpackError("INVALID_OPTION", "cannot make a file system in a stream: it has to be a file");
}

interface Exporting {
  readonly image: Image;
  readonly form: ExportForm;
  readonly output: NewFile | StreamOutput;
  readonly pipeline: Pipeline;
  readonly account: EventLog;
  readonly options: ExportOptions;
  readonly selection: SelectionPatterns;
  readonly selected: SelectedEntries;
}

/** Gives the size of the archive. */
async function writeArchive({ output, pipeline, account, selection, selected }: Exporting): Promise<number> {
  let bytes = 0;
  const take = async (chunk: Uint8Array) => {
    bytes += chunk.length;
    await output.write(chunk);
  };
  const pouring = { take, onReport: selected.report, signal: account.signal };
  await pipeline.pour((outlet): ArchiveJob => ({ type: "archive", form: "tar", selection, outlet }), pouring);
  return bytes;
}

/** Gives the size of the file system. */
async function makeFileSystem(exporting: Exporting, facts: TreeFacts): Promise<number> {
  const { image, form, output, pipeline, account, options, selection, selected } = exporting;
  if (form === "tar" || !(output instanceof NewFile)) throw new TypeError("a file system is made in a file");
  const tool = fileSystemTools[form];
  const path = output.temporaryPath;
  const { sizeBytes, sourceDateEpoch = 0, toolPath: searchPath } = options;
  const plan = { path, facts, digest: image.digest, sourceDateEpoch, sizeBytes };
  const { temporaryDirectory: directory } = output;
  const run = { args: tool.args(plan), env: tool.env(plan), directory, searchPath, signal: account.signal };
  await runTool(tool, run, async (take, signal) => {
    const pouring = { take, onReport: selected.report, signal };
    await pipeline.pour((outlet): ArchiveJob => ({ type: "archive", form, selection, outlet }), pouring);
  });
  return (await stat(path)).size;
}
