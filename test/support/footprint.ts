import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What this process holds at a moment, apart from memory. */
export interface Footprint {
  /** What each open descriptor stands for. */
  readonly descriptors: readonly string[];
  readonly threads: number;
  /** What keeps the event loop running, as Node calls it. */
  readonly resources: readonly string[];
  readonly directory: string;
  readonly umask: string | undefined;
  readonly signals: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Looks with synchronous calls only, so that looking starts no thread. */
export function footprint(): Footprint {
  return {
    descriptors: descriptors(),
    threads: readdirSync("/proc/self/task").length,
    resources: process.getActiveResourcesInfo().toSorted(),
    directory: process.cwd(),
    umask: umask(),
    signals: process.eventNames().map(String).toSorted(),
    environment: { ...process.env },
  };
}

function descriptors(): string[] {
  const open: string[] = [];
  for (const descriptor of readdirSync("/proc/self/fd")) {
    try {
      open.push(`${descriptor}: ${readlinkSync(`/proc/self/fd/${descriptor}`)}`);
    } catch {
      // The descriptor by which the directory itself was read is gone by now.
    }
  }
  return open;
}

/** Asked of the kernel: `process.umask()` can only ask by setting it. */
function umask(): string | undefined {
  return /^Umask:\s*(\d+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
}
