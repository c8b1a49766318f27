import type { OciUnpackEvent, SandboxStatus, WarningCode } from "../index.ts";
import { bytesText, durationText } from "./quantities.ts";
import { safeText } from "./safe-text.ts";

/** Which events are shown besides those that every user has to see. */
export interface EventDetail {
  /** Each request, warning and skipped entry. */
  readonly verbose: boolean;
  /** Each decision and its reason. */
  readonly explain: boolean;
}

/** An event as a line for people; `undefined` if it is not shown. Some events are always shown, others on request. */
export function eventLine(event: OciUnpackEvent, { verbose, explain }: EventDetail): string | undefined {
  if (event.type === "decision") return explain ? `${event.topic}: ${safeText(event.message)}` : undefined;
  return noteworthy(event) ?? (verbose ? detail(event) : undefined);
}

/** Warnings that are always shown, because the user may have to do something. */
const toldAlways: readonly WarningCode[] = [
  "CONFIGURATION",
  "CREDENTIALS_IGNORED",
  "PLATFORM_DIFFERS",
  "PATTERN_UNMATCHED",
  "TABLE_REFUSED",
  "LABEL_LEFT_OUT",
  "USER_NOT_MAPPED",
];

function noteworthy(event: OciUnpackEvent): string | undefined {
  switch (event.type) {
    case "retrying":
      return safeText(retryText(event));
    case "waiting":
      return `waiting: ${safeText(event.reason)}`;
    case "warning":
      return toldAlways.includes(event.code) ? `warning: ${safeText(event.message)}` : undefined;
    case "sandbox":
      return event.status.state === "unavailable"
        ? `warning: unpacking without a sandbox: ${safeText(event.status.reason)}`
        : undefined;
    default:
      return undefined;
  }
}

function detail(event: OciUnpackEvent): string | undefined {
  switch (event.type) {
    case "request":
      return `${safeText(event.method)} ${safeText(event.url)} → ${event.status}`;
    case "authenticate":
      return `authenticating (${event.scheme}) with ${safeText(event.realm)}`;
    case "stored":
      return `${bytesText(event.bytes)} of ${event.digest} are at hand`;
    case "warning":
      return `warning: ${event.code}${whereText(event)}: ${safeText(event.message)}`;
    case "skipped":
      return `skipped (${event.reason})${whereText(event)}: ${safeText(event.detail)}`;
    case "sandbox":
      return sandboxText(event.status);
    case "layer-verified":
      return `layer ${event.layer + 1} verified by ${event.verified === "table" ? "its table of contents" : "its digest"}`;
    default:
      return undefined;
  }
}

function sandboxText(status: SandboxStatus): string {
  const how = status.state === "enforced" ? `Landlock, ABI ${status.abi}` : status.state;
  return `sandbox: ${how}${status.withoutOpenat2 ? "; without openat2, names are looked up one by one" : ""}`;
}

/** Which host is retried, when and why. The text is not escaped for a terminal. */
export function retryText({ url, delayMilliseconds, attempt, reason }: OciUnpackEvent & { type: "retrying" }): string {
  return `retrying ${hostOf(url)} in ${durationText(delayMilliseconds)} (attempt ${attempt}): ${reason}`;
}

/** Only the host of a URL: the rest of a link to a registry's storage means nothing to people. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function whereText(event: { readonly layer?: number; readonly path?: string }): string {
  const layer = event.layer === undefined ? "" : ` layer ${event.layer + 1}`;
  return event.path === undefined ? layer : `${layer} "${safeText(event.path)}"`;
}
