import type { EventListener, OciUnpackEvent } from "../index.ts";
import type { DecisionLog } from "./command-output.ts";
import { interruptible } from "./interrupt.ts";

/** Shows the progress of an operation. Disposing of it restores the terminal. */
export interface Display extends Disposable {
  show(event: OciUnpackEvent): void;
  /** Writes a line that stays on the screen. */
  say(line: string): void;
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
