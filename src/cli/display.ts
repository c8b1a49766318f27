import type { EventListener, OciUnpackEvent } from "../index.ts";
import type { DecisionLog } from "./command-output.ts";
import type { Verbosity } from "./image-options.ts";
import { interruptible } from "./interrupt.ts";
import type { CommandEvent } from "./json-outputs.ts";
import type { CommandOutput, ProcessContext } from "./process-context.ts";
import { safeJson } from "./safe-text.ts";

/** Shows the progress of an operation. Disposing of it restores the terminal. */
export interface Display extends Disposable {
  show(event: OciUnpackEvent): void;
  /** Writes a line that stays on the screen. */
  say(line: string): void;
}

/** A display for programs: each event as JSON on a line of its own. */
export function eventDisplay({ errors }: Pick<ProcessContext, "errors">): Display {
  const tell = (event: CommandEvent) => errors.write(`${safeJson(event)}\n`);
  return { show: tell, say: (message) => tell({ type: "note", message }), [Symbol.dispose]() {} };
}

/** Tells people how it ended, unless they want to hear nothing or a program listens. */
export function tellPeople(
  verbosity: Verbosity,
  { errors, env }: Pick<ProcessContext, "errors" | "env">,
  lines: (paint: Paint) => readonly string[],
): void {
  if (verbosity === "quiet" || verbosity === "events") return;
  errors.write(`${lines(paintFor(errors, env)).join("\n")}\n`);
}

/** Runs `work` with a display of its progress. A signal aborts it. Afterwards the terminal is restored. */
export async function withDisplay<T>(
  given: Display,
  work: (display: Display, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using display = given;
  using interruption = interruptible({
    interrupted: () => display.say("interrupted: cleaning up (once more ends at once)"),
    ending: () => display[Symbol.dispose](),
  });
  return await work(display, interruption.signal);
}

/** A listener that shows events and, with `--explain`, also records decisions. */
export function recordingListener(
  show: EventListener,
  { explain }: { readonly explain: boolean },
  decisionLog: DecisionLog,
): EventListener {
  if (!explain) return show;
  return (event) => {
    show(event);
    decisionLog.record(event);
  };
}

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
