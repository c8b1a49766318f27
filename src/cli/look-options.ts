import { parseCommandLine } from "./command-line.ts";
import { type CommandSpec, commandTable, operandsText } from "./command-table.ts";
import {
  type FilesSettings,
  filesSettings,
  type ImageCommand,
  type ImageSettings,
  imageSettings,
  type SmallCommand,
  smallCommand,
} from "./image-options.ts";
import { imageOptionTable, listOptionTable, lookOptionTable, verifyOptionTable } from "./option-tables.ts";
import type { ProcessContext } from "./process-context.ts";
import { UsageError } from "./usage-error.ts";

/** The arguments of `oci-unpack ls`, `cat` or `inspect`. */
export type LookCommand =
  | (ImageCommand & {
      readonly name: "ls";
      readonly path: string;
      readonly isRecursive: boolean;
      readonly hasDigests: boolean;
    })
  | (ImageCommand & { readonly name: "cat"; readonly path: string })
  | (ImageCommand & { readonly name: "inspect" });

/** The arguments of `oci-unpack history`. */
export interface HistoryCommand extends ImageCommand {
  readonly name: "history";
  readonly path: string | undefined;
}

/** Parses the arguments after `history`. */
export function parseHistory(args: readonly string[], env: ProcessContext["env"]): HistoryCommand | SmallCommand {
  const line = parseCommandLine(lookOptionTable, args);
  const small = smallCommand(line, "history");
  if (small !== undefined) return small;
  const settings = imageSettings(line, env);
  const [image, path] = operands("history", line.positionals);
  return { name: "history", ...settings, image, path };
}

/** Parses the arguments after `ls`, `cat` or `inspect`. */
export function parseLook(
  name: LookCommand["name"],
  args: readonly string[],
  env: ProcessContext["env"],
): LookCommand | SmallCommand {
  const line = parseCommandLine(lookTables[name], args);
  const small = smallCommand(line, name);
  if (small !== undefined) return small;
  const settings = imageSettings(line, env);
  switch (name) {
    case "ls": {
      const [image, path = "/"] = operands(name, line.positionals);
      const isRecursive = "recursive" in line.values && line.values.recursive === true;
      const hasDigests = "digest" in line.values && line.values.digest === true;
      return { name, ...settings, image, path, isRecursive, hasDigests };
    }
    case "cat": {
      const [image, path = ""] = operands(name, line.positionals);
      if (settings.json)
        throw new UsageError(
          "cannot write both a file and JSON to standard output",
          "leave --json out; ls --json tells of a file",
        );
      return { name, ...settings, image, path };
    }
    case "inspect": {
      const [image] = operands(name, line.positionals);
      return { name, ...settings, image };
    }
  }
}

const lookTables = { ls: listOptionTable, cat: lookOptionTable, inspect: imageOptionTable } as const;

/** What each command does, for error messages. */
const attempts = {
  ls: "list files",
  cat: "show a file",
  inspect: "inspect an image",
  history: "tell a history",
  verify: "verify",
  diff: "compare images",
  sync: "sync",
  signatures: "list signatures",
} as const;

/** The arguments that are not options: those that are needed, and those that are possible. */
export function operands(command: keyof typeof attempts, words: readonly string[]): readonly [string, ...string[]] {
  const { needed, possible }: CommandSpec = commandTable[command];
  const missing = needed[words.length];
  if (missing !== undefined) {
    throw new UsageError(
      `cannot ${attempts[command]}: ${missing} is missing`,
      `write oci-unpack ${command} ${operandsText(commandTable[command])}`,
    );
  }
  const surplus = words[needed.length + possible.length];
  if (surplus !== undefined) {
    throw new UsageError(
      `cannot ${attempts[command]}: unexpected argument "${surplus}"`,
      `oci-unpack ${command} takes ${[...needed, ...possible].join(" and ")}`,
    );
  }
  const [first = "", ...rest] = words;
  return [first, ...rest];
}

/** The arguments of `oci-unpack verify DIRECTORY [IMAGE]`. */
export interface VerifyCommand extends ImageSettings {
  readonly name: "verify";
  readonly directory: string;
  /** Absent: the image in the store whose configuration is in the directory. */
  readonly image: string | undefined;
  readonly options: ImageSettings["options"] & FilesSettings;
}

/** Parses the arguments after `verify`. */
export function parseVerify(args: readonly string[], env: ProcessContext["env"]): VerifyCommand | SmallCommand {
  const line = parseCommandLine(verifyOptionTable, args);
  const small = smallCommand(line, "verify");
  if (small !== undefined) return small;
  const settings = imageSettings(line, env);
  const [directory, image] = operands("verify", line.positionals);
  if (image === undefined && settings.store === undefined) {
    throw new UsageError(
      `cannot verify "${directory}": which image it was unpacked from is not known`,
      `name it: oci-unpack verify ${directory} IMAGE; or name a store that has it, with --store`,
    );
  }
  return { name: "verify", ...settings, directory, image, options: { ...settings.options, ...filesSettings(line) } };
}
