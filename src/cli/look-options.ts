import { parseCommandLine } from "./command-line.ts";
import { type ImageCommand, imageWishes, type SmallCommand, smallCommand } from "./image-options.ts";
import { imageOptionTable, listOptionTable } from "./option-tables.ts";
import type { Surroundings } from "./surroundings.ts";
import { UsageError } from "./usage-error.ts";

/** What `oci-unpack ls`, `cat` or `inspect` was asked to do. */
export type LookCommand =
  | (ImageCommand & { readonly name: "ls"; readonly path: string; readonly isRecursive: boolean })
  | (ImageCommand & { readonly name: "cat"; readonly path: string })
  | (ImageCommand & { readonly name: "inspect" });

/** Reads the arguments after `ls`, `cat` or `inspect`. */
export function parseLook(
  name: LookCommand["name"],
  args: readonly string[],
  env: Surroundings["env"],
): LookCommand | SmallCommand {
  const line = parseCommandLine(name === "ls" ? listOptionTable : imageOptionTable, args);
  const small = smallCommand(line, name);
  if (small !== undefined) return small;
  const wishes = imageWishes(line, env);
  switch (name) {
    case "ls": {
      const [image, path = "/"] = operands(name, line.positionals, ["IMAGE"], ["PATH"]);
      const isRecursive = "recursive" in line.values && line.values.recursive === true;
      return { name, ...wishes, image, path, isRecursive };
    }
    case "cat": {
      const [image, path = ""] = operands(name, line.positionals, ["IMAGE", "PATH"], []);
      if (wishes.json)
        throw new UsageError(
          "cannot write both a file and JSON to standard output",
          "leave --json out; ls --json tells of a file",
        );
      return { name, ...wishes, image, path };
    }
    case "inspect": {
      const [image] = operands(name, line.positionals, ["IMAGE"], []);
      return { name, ...wishes, image };
    }
  }
}

/** What each command is for, as messages say it. */
const attempts = { ls: "list files", cat: "show a file", inspect: "inspect an image", verify: "verify" } as const;

/** The words that are no options: those that must be there, and those that may. */
export function operands(
  command: keyof typeof attempts,
  words: readonly string[],
  needed: readonly string[],
  possible: readonly string[],
): readonly [string, ...string[]] {
  const missing = needed[words.length];
  if (missing !== undefined) {
    const all = [...needed, ...possible.map((word) => `[${word}]`)].join(" ");
    throw new UsageError(`cannot ${attempts[command]}: ${missing} is missing`, `write oci-unpack ${command} ${all}`);
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
