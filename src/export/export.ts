import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { OciUnpackError } from "../base/errors.ts";
import { ifThere } from "../base/if-there.ts";
import { invalidOption, pathOf, pathOrStream } from "../base/option-checks.ts";
import type { ExportForm } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import { insistOnSharedDescriptors } from "../base/shared-descriptors.ts";
import { AddedLayer } from "../operation/added-layer.ts";
import { decisive } from "../operation/decisive.ts";
import { Operation } from "../operation/operation.ts";
import { NewFile, StreamOutput } from "../output/new-file.ts";
import { fileSystemTools } from "./file-system-tool.ts";
import { makeOutput, startThreads } from "./make-output.ts";
import { type ExportOptions, type ExportResult, exportKinds } from "./options.ts";
import { versionOfTool } from "./run-tool.ts";

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
  insistOnSharedDescriptors("merge the layers of an image");
  const tool = await toolOf(form, options.toolPath);
  const isPath = typeof target === "string";
  await using added = await AddedLayer.open(options.add, options.sourceDateEpoch);
  await using hashes = hashFile === undefined ? undefined : await NewFile.open(hashFile);
  await using output = isPath ? await NewFile.open(target) : new StreamOutput(target, signal);
  // While the network is asked, the threads start, unless it may turn out that they are not needed.
  await using started = options.keep === true ? undefined : startThreads(settings);
  const source = await operation.source();
  const store = operation.storeToKeepIn(options.keep);
  const accepted = added.onTopOf(await operation.resolve(source));

  const making = { operation, accepted, form, output, hashes, options };
  const decides = { ...decisive(settings, accepted.image, added), form, tool, ...shapeOf(options) };
  const made = await (store === undefined
    ? makeOutput(making, started)
    : (await import("./kept-output.ts")).keptOrMade(store, decides, making));
  signal.throwIfAborted();
  await commitBoth(output, hashes);
  const file = isPath ? resolve(target) : undefined;
  return {
    ...operation.finish(accepted.image, file ?? "-"),
    form,
    ...present({ file }),
    ...made,
    ...events.summary(),
  };
}

/** What decides of a program, and of this machine, what the form looks like. Throws `TOOL_MISSING`. */
async function toolOf(form: ExportForm, searchPath: string | undefined): Promise<object | undefined> {
  if (form === "tar") return undefined;
  const { [form]: tool } = fileSystemTools;
  const { configuration } = tool;
  const version = await versionOfTool(tool, searchPath);
  const configured = configuration && (await ifThere(`read "${configuration}"`, () => readFile(configuration, "utf8")));
  return { version, configured };
}

/** What the options say about the file, besides what goes into it. */
function shapeOf({ sizeBytes, verity = false, verityFile }: ExportOptions): object {
  return { sizeBytes, verity, isVerityApart: verityFile !== undefined };
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
