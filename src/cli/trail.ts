import type { UnpackEvent } from "../index.ts";

/** Why something went the way it went: an event of that kind, without its type. */
export interface Decision {
  readonly topic: string;
  readonly message: string;
}

/** More than any pull needs; fewer than could fill memory when one is retried for days. */
const mostDecisions = 10_000;

/** What `--explain` has to tell, in order, for who wants it as data. */
export class Trail {
  readonly decisions: Decision[] = [];

  record(event: UnpackEvent): void {
    if (event.type !== "decision" || this.decisions.length >= mostDecisions) return;
    this.decisions.push({ topic: event.topic, message: event.message });
  }
}
