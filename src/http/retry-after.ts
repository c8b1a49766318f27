import type { IncomingHttpHeaders } from "node:http";

/** Above this a number of seconds can only be a moment since 1970. */
const firstEpochSecond = 1_000_000_000;

/**
 * How long a server asks to be left alone: `Retry-After` as seconds or as a date (RFC 9110, section 10.2.3), else
 * `RateLimit-Reset`, which some write as seconds from now and some as seconds since 1970.
 */
export function retryAfterMilliseconds(headers: IncomingHttpHeaders, now = Date.now()): number | undefined {
  const retryAfter = headers["retry-after"]?.trim();
  if (retryAfter !== undefined) return secondsFrom(retryAfter) ?? untilDate(retryAfter, now);
  const reset = headers["ratelimit-reset"] ?? headers["x-ratelimit-reset"];
  const milliseconds = typeof reset === "string" ? secondsFrom(reset.trim()) : undefined;
  if (milliseconds === undefined || milliseconds < firstEpochSecond * 1000) return milliseconds;
  return Math.max(0, milliseconds - now);
}

function secondsFrom(text: string): number | undefined {
  return /^\d{1,12}(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : undefined;
}

function untilDate(text: string, now: number): number | undefined {
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? undefined : Math.max(0, moment - now);
}
