import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What this process holds at a moment, apart from memory. */
export interface Footprint {
  /** What each open descriptor stands for. */
  readonly descriptors: readonly string[];
  readonly threads: number;
  /** Sockets, pipes, timers, threads that keep the event loop running, as Node calls them. */
  readonly resources: readonly string[];
  readonly directory: string;
  readonly umask: string | undefined;
  readonly signals: readonly string[];
  /** A digest: what is in the environment is nobody's business, least of all a test report's. */
  readonly environment: string;
}

/** Looks with synchronous calls only, so that looking starts no thread. */
export function footprint(): Footprint {
  return {
    descriptors: descriptors(),
    threads: readdirSync("/proc/self/task").length,
    resources: resources(),
    directory: process.cwd(),
    umask: umask(),
    signals: process.eventNames().map(String).toSorted(),
    environment: createHash("sha256").update(JSON.stringify(process.env)).digest("hex"),
  };
}

/** Without requests: the one whose end woke up the caller still counts as active while the caller looks. */
function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => !name.includes("Req"))
    .toSorted();
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
