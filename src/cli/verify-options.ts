import { parseCommandLine } from "./command-line.ts";
import { type FilesWishes, filesWishes } from "./files-options.ts";
import { type ImageWishes, imageWishes, type SmallCommand, smallCommand } from "./image-options.ts";
import { operands } from "./look-options.ts";
import { verifyOptionTable } from "./option-tables.ts";
import type { Surroundings } from "./surroundings.ts";
import { UsageError } from "./usage-error.ts";

/** What `oci-unpack verify DIRECTORY [IMAGE]` was asked to do. */
export interface VerifyCommand extends ImageWishes {
  readonly name: "verify";
  readonly directory: string;
  /** Absent: the one of the store's images whose configuration the directory has. */
  readonly image: string | undefined;
  readonly options: ImageWishes["options"] & FilesWishes;
}

/** Reads the arguments after `verify`. */
export function parseVerify(args: readonly string[], env: Surroundings["env"]): VerifyCommand | SmallCommand {
  const line = parseCommandLine(verifyOptionTable, args);
  const small = smallCommand(line, "verify");
  if (small !== undefined) return small;
  const wishes = imageWishes(line, env);
  const [directory, image] = operands("verify", line.positionals, ["DIRECTORY"], ["IMAGE"]);
  if (image === undefined && wishes.store === undefined) {
    throw new UsageError(
      `cannot verify "${directory}": which image it was unpacked from is not known`,
      `name it: oci-unpack verify ${directory} IMAGE; or name a store that has it, with --store`,
    );
  }
  return { name: "verify", ...wishes, directory, image, options: { ...wishes.options, ...filesWishes(line) } };
}
