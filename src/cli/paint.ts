import type { CommandOutput, ProcessContext } from "./process-context.ts";

/** Colours a text, or does not, depending on the stream. */
export interface Paint {
  red(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
  faint(text: string): string;
}

/** Colours for a terminal whose user did not refuse them (https://no-color.org). */
export function paintFor(output: CommandOutput, env: ProcessContext["env"]): Paint {
  const refused = (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb";
  const painted = output.isTTY === true && !refused;
  const style = (code: number) => (text: string) => (painted && text !== "" ? `\x1b[${code}m${text}\x1b[0m` : text);
  return { red: style(31), green: style(32), cyan: style(36), faint: style(2) };
}
