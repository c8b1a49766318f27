import { oneOf, parseCommandLine } from "./command-line.ts";
import { operandKinds } from "./command-table.ts";
import { helpCommand, type SmallCommand } from "./image-options.ts";
import { completionOptionTable } from "./option-tables.ts";
import { UsageError } from "./usage-error.ts";

const shells = operandKinds["bash|zsh|fish"];

/** A shell that completes command lines. */
export type Shell = (typeof shells)[number];

/** The arguments of `oci-unpack completion bash|zsh|fish`. */
export interface CompletionCommand {
  readonly name: "completion";
  readonly shell: Shell;
}

/** Parses the arguments after `completion`. */
export function parseCompletion(args: readonly string[]): CompletionCommand | SmallCommand {
  const { values, positionals } = parseCommandLine(completionOptionTable, args);
  if (values.help) return helpCommand("completion", positionals);
  const [word, surplus] = positionals;
  if (word === undefined) {
    throw new UsageError(
      "cannot write completions: for which shell is missing",
      `one of oci-unpack completion ${shells.join(", ")}`,
    );
  }
  if (surplus !== undefined) {
    throw new UsageError(
      `cannot write completions: unexpected argument "${surplus}"`,
      "one command writes for one shell",
    );
  }
  return { name: "completion", shell: oneOf("oci-unpack completion", word, shells) };
}
