import { type DifferentPart, differentParts } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import type { DiffOptions } from "../index.ts";
import { oneOf, parseCommandLine } from "./command-line.ts";
import { type ImageSettings, imageSettings, type SmallCommand, smallCommand } from "./image-options.ts";
import { operands } from "./look-options.ts";
import { diffOptionTable } from "./option-tables.ts";
import type { ProcessContext } from "./process-context.ts";
import { sourceKindOf } from "./source-kind.ts";
import { UsageError } from "./usage-error.ts";

/** The arguments of `oci-unpack diff IMAGE1 IMAGE2 [PATH]`. */
export interface DiffCommand extends ImageSettings {
  readonly name: "diff";
  readonly images: readonly [first: string, second: string];
  readonly options: ImageSettings["options"] & Pick<DiffOptions, "secondPlatform" | "path" | "ignore">;
}

/** Parses the arguments after `diff`. */
export function parseDiff(args: readonly string[], env: ProcessContext["env"]): DiffCommand | SmallCommand {
  const { values, positionals } = parseCommandLine(diffOptionTable, args);
  const { platform = [], ignore, ...others } = values;
  const [first, second, surplus] = platform;
  if (surplus !== undefined) {
    throw new UsageError(
      "cannot compare images: --platform is given more than twice",
      "once is for both images; twice, the first is for IMAGE1 and the second for IMAGE2",
    );
  }
  const line = { values: { ...others, ...present({ platform: first }) }, positionals };
  const small = smallCommand(line, "diff");
  if (small !== undefined) return small;
  const settings = imageSettings(line, env);
  const [image1, image2 = "", path] = operands("diff", positionals);
  if ([image1, image2].every(isFromStandardInput)) {
    throw new UsageError(
      "cannot compare images: both are to come from standard input, which has one",
      "name the file of one of them",
    );
  }
  const own = present({ secondPlatform: second, path, ignore: ignoredParts(ignore) });
  return { name: "diff", ...settings, images: [image1, image2], options: { ...settings.options, ...own } };
}

/** `docker-archive:-`, also with a tag behind it. */
function isFromStandardInput(image: string): boolean {
  return sourceKindOf(image) === "files" && image.split(":")[1] === "-";
}

/** `--ignore time,owner`, which may be repeated. */
function ignoredParts(texts: readonly string[] | undefined): readonly DifferentPart[] | undefined {
  return texts?.flatMap((text) => text.split(",")).map((word) => oneOf("--ignore", word, differentParts));
}
