import type { UnpackEvent } from "../index.ts";

/** Shows an unpacking while it runs. Closing it leaves the terminal as it was. */
export interface Display extends Disposable {
  show(event: UnpackEvent): void;
  /** A line from elsewhere, which stays. */
  say(line: string): void;
}
