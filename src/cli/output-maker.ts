import type { Writable } from "node:stream";
import { present } from "../base/present.ts";
import type * as Library from "../index.ts";
import type { ExportForm, ExportOptions, OverlayOptions, UnpackOptions } from "../index.ts";
import { artifactData } from "./descriptor-data.ts";
import type { ProcessContext } from "./process-context.ts";
import { artifactLines, copyLines, exportLines, overlayLines } from "./report.ts";
import { type MakeOutput, rootfsMaker, type ShownOutput } from "./unpack-command.ts";
import type { OutputChoice, UnpackCommand } from "./unpack-options.ts";
import { UsageError } from "./usage-error.ts";

/** The functions of the library that are used here. */
export type OutputLibrary = Pick<
  typeof Library,
  "unpack" | "unpackOverlay" | "unpackArtifact" | "exportRootfs" | "copy" | "store"
>;

/** Makes whichever output the command line asks for. */
export function outputMaker(library: OutputLibrary): MakeOutput {
  return (command, context, options) => makeOutput(command, context, options, library);
}

async function makeOutput(
  command: UnpackCommand,
  context: ProcessContext,
  options: UnpackOptions,
  library: OutputLibrary,
): Promise<ShownOutput> {
  const { image, directory, output } = command;
  switch (output.form) {
    case "rootfs":
      return await rootfsMaker(library)(command, context, options);
    case "files": {
      const result = await library.unpackArtifact(image, directory, options);
      return { result: artifactData(result), lines: (paint) => artifactLines(result, paint) };
    }
    case "overlay": {
      const result = await library.unpackOverlay(image, directory, overlayOptions(command, options, library));
      return { result, lines: (paint) => overlayLines(result, paint) };
    }
    case "tar":
    case "erofs":
    case "squashfs":
    case "ext4": {
      const destination = directory === "-" ? archiveOutput(context) : directory;
      const result = await library.exportRootfs(image, destination, exportOptions(output, context, options));
      return { result, lines: (paint) => exportLines(result, paint) };
    }
    default: {
      const { form, allPlatforms, signatures } = output;
      const destination = directory === "-" ? archiveOutput(context) : directory;
      const result = await library.copy(image, destination, { ...options, form, allPlatforms, signatures });
      return { result, lines: (paint) => copyLines(result, directory, paint) };
    }
  }
}

function overlayOptions(
  { output, store }: UnpackCommand,
  options: UnpackOptions,
  library: OutputLibrary,
): OverlayOptions {
  const { kind, mount } = output.form === "overlay" ? output : {};
  return present({
    ...options,
    overlay: kind,
    mount,
    store: store === undefined ? undefined : library.store(store, present({ limits: options.limits })),
  });
}

function exportOptions(
  output: Extract<OutputChoice, { readonly form: ExportForm }>,
  { env }: ProcessContext,
  options: UnpackOptions,
): ExportOptions {
  // mke2fs may be in a directory for system administration, which a user's PATH often does not have.
  const toolPath = env.PATH ? `${env.PATH}:/usr/sbin:/sbin` : undefined;
  return present({ ...options, ...output, toolPath });
}

function archiveOutput({ output, binaryOutput }: ProcessContext): Writable {
  if (!output.isTTY) return binaryOutput;
  throw new UsageError("cannot write an archive to a terminal", "redirect standard output, or name a file with -o");
}
