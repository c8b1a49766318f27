import { present } from "../base/present.ts";
import type { SyncOptions } from "../index.ts";
import { parseCommandLine } from "./command-line.ts";
import {
  type FilesSettings,
  filesSettings,
  type ImageCommand,
  type ImageSettings,
  imageSettings,
  type SmallCommand,
  smallCommand,
} from "./image-options.ts";
import { operands } from "./look-options.ts";
import { syncOptionTable } from "./option-tables.ts";
import type { ProcessContext } from "./process-context.ts";
import { UsageError } from "./usage-error.ts";

/** The arguments of `oci-unpack sync DIRECTORY IMAGE`. */
export interface SyncCommand extends ImageCommand {
  readonly name: "sync";
  readonly directory: string;
  readonly options: ImageSettings["options"] &
    FilesSettings &
    Pick<SyncOptions, "dryRun" | "keepPaths" | "trustTimes" | "force" | "mtree">;
  /** Whether the directory becomes a bundle for a container runtime, and for a runtime of which user. */
  readonly bundle: "none" | "for root" | "for this user";
}

/** Parses the arguments after `sync`. */
export function parseSync(args: readonly string[], env: ProcessContext["env"]): SyncCommand | SmallCommand {
  const line = parseCommandLine(syncOptionTable, args);
  const small = smallCommand(line, "sync");
  if (small !== undefined) return small;
  const { values } = line;
  const settings = imageSettings(line, env);
  const [directory, image = ""] = operands("sync", line.positionals);
  if (values.mtree === "-") {
    throw new UsageError(
      "cannot write the mtree list to standard output: it has to be a file",
      "a file of that name is ./-",
    );
  }
  return {
    name: "sync",
    ...settings,
    directory,
    image,
    options: present({
      ...settings.options,
      ...filesSettings(line),
      dryRun: values["dry-run"],
      keepPaths: values["keep-path"],
      trustTimes: values["trust-times"],
      force: values.force,
      mtree: values.mtree,
    }),
    bundle: !values.bundle ? "none" : values.rootless ? "for this user" : "for root",
  };
}
