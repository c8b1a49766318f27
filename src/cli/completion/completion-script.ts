import type { Shell } from "../completion-options.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { zshCompletion } from "./zsh.ts";

/** What makes a shell complete command lines of oci-unpack. */
export function completionScript(shell: Shell): string {
  return { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }[shell]();
}
