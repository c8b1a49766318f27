import type { OciUnpackEvent } from "../index.ts";
import { retryText } from "./event-line.ts";

/** Why something went the way it went, under the topic of an event of that kind. */
export interface Decision {
  readonly topic: string;
  readonly message: string;
}

/** More than any pull needs; fewer than could fill memory when one is retried for days. */
const mostDecisions = 10_000;

/** A registry's links may be long. */
const longestMessage = 2_000;

/** What `--explain` has to tell, in order, for who wants it as data. */
export class Trail {
  readonly decisions: Decision[] = [];

  record(event: OciUnpackEvent): void {
    const decision = decisionIn(event);
    if (decision !== undefined && this.decisions.length < mostDecisions) {
      this.decisions.push({ ...decision, message: shortened(decision.message) });
    }
  }
}

function shortened(message: string): string {
  return message.length <= longestMessage ? message : `${message.slice(0, longestMessage)}…`;
}

/** People are shown retries and warnings whether they are curious or not; as data they are a part of the trail. */
function decisionIn(event: OciUnpackEvent): Decision | undefined {
  switch (event.type) {
    case "decision":
      return { topic: event.topic, message: event.message };
    case "retrying":
      return { topic: "retry", message: retryText(event) };
    case "warning":
      if (event.code === "CONFIGURATION") return { topic: "configuration", message: event.message };
      return event.code === "CREDENTIALS_IGNORED" ? { topic: "credentials", message: event.message } : undefined;
    default:
      return undefined;
  }
}
