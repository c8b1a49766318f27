import type { EventListener, OciUnpackEvent } from "../index.ts";
import type { DecisionLog } from "./command-output.ts";
import { interruptible } from "./interrupt.ts";

/** Shows an unpacking while it runs. Closing it leaves the terminal as it was. */
export interface Display extends Disposable {
  show(event: OciUnpackEvent): void;
  /** A line from elsewhere, which stays. */
  say(line: string): void;
}

/**
 * Runs `work` with its progress on a display and signals turned into an abort; afterwards the terminal is as it was.
 */
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

/** Shows events and, where decisions are asked for, remembers those. */
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
