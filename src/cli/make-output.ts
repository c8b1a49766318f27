import type { Writable } from "node:stream";
import { present } from "../base/present.ts";
import type * as Library from "../index.ts";
import type { ExportForm, ExportOptions, OverlayOptions, UnpackOptions } from "../index.ts";
import type { OutputChoice } from "./output-options.ts";
import type { Paint } from "./paint.ts";
import type { ProcessContext } from "./process-context.ts";
import { copyLines, exportLines, overlayLines, resultLines } from "./report.ts";
import type { UnpackCommand } from "./unpack-options.ts";
import { UsageError } from "./usage-error.ts";

/** The functions of the library that are used here. */
export type OutputLibrary = Pick<typeof Library, "unpack" | "unpackOverlay" | "exportRootfs" | "copy" | "store">;

/** The result as data and as lines for people. */
interface MadeOutput {
  readonly result: object;
  readonly lines: (paint: Paint) => readonly string[];
}

/** Makes the output that the command line asks for. */
export async function makeOutput(
  command: UnpackCommand,
  context: ProcessContext,
  options: UnpackOptions,
  library: OutputLibrary,
): Promise<MadeOutput> {
  const { image, directory, output } = command;
  switch (output.form) {
    case "rootfs": {
      const result = await library.unpack(image, directory, options);
      return { result, lines: (paint) => resultLines(result, paint) };
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
      const { form, allPlatforms } = output;
      const destination = directory === "-" ? archiveOutput(context) : directory;
      const result = await library.copy(image, destination, { ...options, form, allPlatforms });
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
  { form, sizeBytes }: Extract<OutputChoice, { readonly form: ExportForm }>,
  { env }: ProcessContext,
  options: UnpackOptions,
): ExportOptions {
  // mke2fs may be in a directory for system administration, which a user's PATH often does not have.
  const toolPath = env.PATH ? `${env.PATH}:/usr/sbin:/sbin` : undefined;
  return present({ ...options, form, toolPath, sizeBytes });
}

function archiveOutput({ output, binaryOutput }: ProcessContext): Writable {
  if (!output.isTTY) return binaryOutput;
  throw new UsageError("cannot write an archive to a terminal", "redirect standard output, or name a file with -o");
}
