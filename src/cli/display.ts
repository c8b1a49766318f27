import type { OciUnpackEvent } from "../index.ts";

/** Shows an unpacking while it runs. Closing it leaves the terminal as it was. */
export interface Display extends Disposable {
  show(event: OciUnpackEvent): void;
  /** A line from elsewhere, which stays. */
  say(line: string): void;
}
