import type { EventListener } from "../index.ts";
import type { Display } from "./display.ts";
import { interruptible } from "./interrupt.ts";
import type { Trail } from "./trail.ts";

/** Runs `work` with its progress on a display and signals turned into an abort; afterwards the terminal is as it was. */
export async function shown<T>(
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
export function listening(
  show: EventListener,
  { explain }: { readonly explain: boolean },
  trail: Trail,
): EventListener {
  if (!explain) return show;
  return (event) => {
    show(event);
    trail.record(event);
  };
}
