import type { Attributes } from "../layer/attributes.ts";
import type { Findings } from "../layer/findings.ts";
import { failure } from "../layer/refusal.ts";
import type { Result } from "../linux/libc.ts";
import type { Stat } from "../linux/stat.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";
import { earliestSeconds, latestSeconds } from "../tar/timestamp.ts";

/** How a file's times are set and looked at. */
export interface TimesAccess {
  setTimes(atime: Timestamp, mtime: Timestamp): Result;
  stat(): Stat | Result;
}

/**
 * Sets the time of modification, and with it that of access where the archive does not state one.
 *
 * A file system moves times that it cannot store to the nearest it can, and says nothing. Far ones are looked at again.
 */
export function setTimes(
  path: ByteString,
  { mtime, atime = mtime }: Pick<Attributes, "mtime" | "atime">,
  access: TimesAccess,
  findings: Findings,
): void {
  const result = access.setTimes(atime, mtime);
  if (result < 0) throw failure("set the times of", path, "utimensat", result);
  if (mtime.seconds >= earliestSeconds && mtime.seconds <= latestSeconds) return;
  const stat = access.stat();
  if (typeof stat === "number" || stat.mtime.seconds === mtime.seconds) return;
  findings.repaired("TIME_CLAMPED", `this file system cannot store the time ${mtime.seconds}`, path);
  findings.skipped(path, "times", `this file system stores ${stat.mtime.seconds} for ${mtime.seconds}`);
}
