import type { Input } from "./surroundings.ts";
import { UsageError } from "./usage-error.ts";

const longestPassword = 64 * 1024;

/** All of standard input, without the line end that `echo` adds. */
export async function passwordFrom(input: Input): Promise<string> {
  if (input.isTTY) {
    throw new UsageError(
      "cannot read a password: standard input is a terminal, which would show it",
      "pipe it: oci-unpack -u NAME --password-stdin IMAGE DIRECTORY < FILE",
    );
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let password = "";
  for await (const chunk of input) {
    password += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    if (password.length > longestPassword) {
      throw new UsageError(`cannot read a password: standard input is longer than ${longestPassword} characters`);
    }
  }
  password = password.replace(/\r?\n$/, "");
  if (password === "") throw new UsageError("cannot read a password: standard input is empty");
  return password;
}
