import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { OciUnpackError } from "../base/errors.ts";
import {
  boolean,
  count,
  invalidOption,
  type Kinds,
  path,
  pathOf,
  pathOrStream,
  text,
  word,
} from "../base/option-checks.ts";
import { type ExportForm, exportForms } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import { openTemporaryFile } from "../blob/temporary-file.ts";
import { resolveKinds } from "../image/options.ts";
import type { Image } from "../image/resolve.ts";
import { addedFilesKind } from "../operation/added-files.ts";
import { AddedLayer } from "../operation/added-layer.ts";
import { Operation } from "../operation/operation.ts";
import { applyKinds, filesKinds, type UnpackOptions, type UnpackResult } from "../operation/options.ts";
import { NewFile, StreamOutput } from "../output/new-file.ts";
import { isWhole } from "../tree/selection.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { fileSystemTools, uuidOf } from "./file-system-tool.ts";
import type { ArchiveJob } from "./merge-job.ts";
import { mergeLayers, SelectedEntries } from "./merge-layers.ts";
import { insistOnTool, runTool } from "./run-tool.ts";
import type { TreeFacts } from "./tree-facts.ts";
import { makeHashTree, type Verity } from "./verity.ts";

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
  /**
   * Puts the hash tree behind the file system with which a kernel verifies each block that it reads (dm-verity).
   * Default: false.
   */
  readonly verity?: boolean;
  /** Puts that hash tree into a file of its own, which does not exist yet. */
  readonly verityFile?: string | URL;
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
  add: addedFilesKind,
  form: word(...exportForms),
  sizeBytes: count,
  verity: boolean,
  verityFile: path,
  toolPath: text,
  keep: boolean,
};

export interface ExportResult extends Omit<UnpackResult, "rootfs" | "config" | "mtree"> {
  readonly form: ExportForm;
  /** Absolute path of the file; absent where the archive went into a stream. */
  readonly file?: string;
  /** The size of that file, or of what went into the stream. */
  readonly bytes: number;
  /** Where a hash tree was made: what verifies the file system. */
  readonly verity?: Verity;
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
  await using operation = Operation.begin(name, options, exportKinds);
  const { settings, events, signal } = operation;
  const target = pathOrStream("destination", destination);
  const form = settleForm(options.form, target);
  const hashFile = settleVerity(options, form, target);
  if (form !== "tar") await insistOnTool(fileSystemTools[form], options.toolPath);
  const isPath = typeof target === "string";
  await using added = await AddedLayer.open(options.add, options.sourceDateEpoch);
  await using hashes = hashFile === undefined ? undefined : await NewFile.open(hashFile);
  await using output = isPath ? await NewFile.open(target) : new StreamOutput(target, signal);
  await using pipeline = new Pipeline(settings.apply.limits, "tree-worker"); // while the network is asked, the threads start
  const source = await operation.source();
  operation.storeToKeepIn(options.keep);
  const accepted = added.onTopOf(await operation.resolve(source));

  const { image } = accepted;
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
  const exporting = { operation, image, form, output, pipeline, options, selected };
  const { bytes, verity } = await (facts === undefined
    ? writeArchive(exporting)
    : makeFileSystem(exporting, facts, hashes));
  selected.tellUnmatched(settings.apply.strict);
  signal.throwIfAborted();
  await commitBoth(output, hashes);
  const file = isPath ? resolve(target) : undefined;
  return {
    ...operation.finish(image, file ?? "-"),
    form,
    ...present({ file }),
    bytes,
    ...present({ verity }),
    ...totals,
    ...(!isWhole(settings.selection) && { keptEntries: selected.count }),
    ...events.summary(),
  };
}

function settleForm(form: ExportForm = "tar", destination: string | Writable): ExportForm {
  if (form === "tar" || typeof destination === "string") return form;
  throw new OciUnpackError("INVALID_OPTION", "cannot make a file system in a stream: it has to be a file");
}

/** The file that a hash tree goes into, if it is to be in one of its own. Throws `INVALID_OPTION`. */
function settleVerity(
  { verity = false, verityFile }: ExportOptions,
  form: ExportForm,
  destination: string | Writable,
): string | undefined {
  const option = verityFile === undefined ? "verity" : "verityFile";
  if (form === "tar" && (verity || verityFile !== undefined)) {
    throw invalidOption(option, "an archive has no blocks to verify", "choose erofs, squashfs or ext4");
  }
  if (verityFile === undefined) return undefined;
  const file = resolve(pathOf("verityFile", verityFile));
  if (typeof destination !== "string" || file !== resolve(destination)) return file;
  throw invalidOption(option, "it is the file of the file system", "`verity` puts the hash tree there");
}

/** Makes the hash tree where one is wanted: behind the file system, or in a file of its own. */
async function addVerity(
  { operation, image: { digest }, options }: Exporting,
  data: string,
  file: NewFile | undefined,
): Promise<Verity | undefined> {
  if (file === undefined && options.verity !== true) return undefined;
  const hashes = file?.temporaryPath ?? data;
  return await makeHashTree({ data, hashes, digest, uuid: uuidOf(digest), signal: operation.signal });
}

/** Makes both files appear, or none. */
async function commitBoth(output: NewFile | StreamOutput, hashes: NewFile | undefined): Promise<void> {
  await hashes?.commit();
  try {
    await output.commit();
  } catch (error) {
    await hashes?.retract();
    throw error;
  }
}

interface Exporting {
  readonly operation: Operation;
  readonly image: Image;
  readonly form: ExportForm;
  readonly output: NewFile | StreamOutput;
  readonly pipeline: Pipeline;
  readonly options: ExportOptions;
  readonly selected: SelectedEntries;
}

/** What was written. */
type Written = Pick<ExportResult, "bytes" | "verity">;

async function writeArchive({ operation, output, pipeline, selected }: Exporting): Promise<Written> {
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

async function makeFileSystem(exporting: Exporting, facts: TreeFacts, hashes: NewFile | undefined): Promise<Written> {
  const { operation, image, form, output, pipeline, options, selected } = exporting;
  const { selection } = operation.settings;
  if (form === "tar" || !(output instanceof NewFile)) throw new TypeError("a file system is made in a file");
  const tool = fileSystemTools[form];
  const { temporaryPath: path } = output;
  const { sizeBytes, sourceDateEpoch = 0, toolPath: searchPath } = options;
  const plan = { path, facts, digest: image.digest, sourceDateEpoch, sizeBytes };
  const { temporaryDirectory: directory } = output;
  const run = { args: tool.args(plan), env: tool.env(plan), directory, searchPath, signal: operation.signal };
  await runTool(tool, run, async (take, signal) => {
    const receiver = { take, onReport: selected.report, signal };
    await pipeline.receive((outlet): ArchiveJob => ({ type: "archive", form, selection, outlet }), receiver);
  });
  const verity = await addVerity(exporting, path, hashes);
  return { bytes: (await stat(path)).size, ...present({ verity }) };
}
