import { present } from "../base/present.ts";
import type { UnpackOptions } from "../index.ts";
import { type CommandLine, commandWords, parseCommandLine, refuseMisplacedCommand } from "./command-line.ts";
import {
  type FilesSettings,
  filesSettings,
  type ImageSettings,
  imageSettings,
  type SmallCommand,
  smallCommand,
} from "./image-options.ts";
import { unpackOptionTable } from "./option-tables.ts";
import { type Destination, destination } from "./output-options.ts";
import type { ProcessContext } from "./process-context.ts";
import { UsageError } from "./usage-error.ts";

/** The arguments of `oci-unpack IMAGE DIRECTORY`. */
export interface UnpackCommand extends Destination, ImageSettings {
  readonly name: "unpack";
  readonly options: ImageSettings["options"] & FilesSettings & Pick<UnpackOptions, "mtree">;
  /** Whether the directory becomes a bundle for a container runtime, and for a runtime of which user. */
  readonly bundle: "none" | "for root" | "for this user";
}

type UnpackLine = CommandLine<typeof unpackOptionTable>;

/** Parses the arguments of `oci-unpack IMAGE DIRECTORY`. */
export function parseUnpack(args: readonly string[], env: ProcessContext["env"]): UnpackCommand | SmallCommand {
  const line = parseCommandLine(unpackOptionTable, args);
  const [word] = line.positionals;
  const small = smallCommand(line, commandWords.find((each) => each === word) ?? "unpack");
  if (small !== undefined) return small;
  refuseMisplacedCommand(word, args);
  return unpackCommand(line, env);
}

function unpackCommand(line: UnpackLine, env: ProcessContext["env"]): UnpackCommand {
  const { values } = line;
  const settings = imageSettings(line, env);
  const target = destination(line);
  if (values.mtree === "-") {
    throw new UsageError(
      "cannot write the mtree list to standard output: it has to be a file",
      "a file of that name is ./-",
    );
  }
  return {
    name: "unpack",
    ...target,
    ...settings,
    options: present({ ...settings.options, ...filesSettings(line), mtree: values.mtree }),
    bundle: bundle(values),
  };
}

function bundle(values: UnpackLine["values"]): UnpackCommand["bundle"] {
  if (!values.bundle) return "none";
  return values.rootless ? "for this user" : "for root";
}
