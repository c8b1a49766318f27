const commands = ["ls", "cat", "inspect", "verify", "sync"];

/** Adds the options that every run here has: they belong behind a command's name, where there is one. */
export function withUsualOptions(args: readonly string[]): readonly string[] {
  const [first = "", ...rest] = args;
  if (first === "store") return args; // it has none of them
  const usual = ["-q", "-p", "linux/amd64"];
  return commands.includes(first) ? [first, ...usual, ...rest] : [...usual, ...args];
}
