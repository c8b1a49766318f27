import type { CommandInput } from "./process-context.ts";
import { UsageError } from "./usage-error.ts";

const longestPassword = 64 * 1024;

const pipeIt = "pipe it, from a file that has nothing else: … -u NAME --password-stdin … < FILE";

/** Reads a password: all of standard input, without the line end that `echo` adds. */
export async function passwordFrom(input: CommandInput): Promise<string> {
  if (input.isTTY) {
    throw new UsageError("cannot read a password: standard input is a terminal, which would show it", pipeIt);
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let password = "";
  for await (const chunk of input) {
    password += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    if (password.length > longestPassword) {
      throw new UsageError(
        `cannot read a password: standard input is longer than ${longestPassword} characters`,
        pipeIt,
      );
    }
  }
  password = password.replace(/\r?\n$/, "");
  if (password === "") throw new UsageError("cannot read a password: standard input is empty", pipeIt);
  return password;
}
