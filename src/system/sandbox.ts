import { platform } from "node:process";
import { OciUnpackError } from "../base/errors.ts";
import type { SandboxStatus } from "../base/events.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { fromLinux, Lack } from "./lack.ts";

/** On Linux threads have to be confined. No other system has Landlock: there the result says that they are not. */
export const defaultSandbox: SandboxPolicy = platform === "linux" ? "require" : "prefer";

/** What the system does for a working thread. */
interface ThreadSystem {
  /** Names the calling thread, where the system shows such names. */
  readonly nameThread: (name: string) => void;
  /** Confines the calling thread as the policy says: it opens no file from then on. */
  readonly confine: (policy: SandboxPolicy) => SandboxStatus;
}

let system: ThreadSystem | undefined;

/** Loads what this system does for threads. A thread has to wait for it before its first job. */
export async function loadThreadSystem(): Promise<ThreadSystem> {
  const linux = await fromLinux(() => import("./linux-thread.ts"));
  system =
    linux instanceof Lack
      ? { nameThread() {}, confine: (policy) => unconfined(policy, linux) }
      : { nameThread: linux.nameThread, confine: (policy) => linux.confineThread(policy, {}) };
  return system;
}

/**
 * Confines the calling thread until it ends, as the policy says, so that it can open no file at all.
 *
 * Throws `SANDBOX_UNAVAILABLE` if the policy requires what cannot be had.
 */
export function confineFromFiles(policy: SandboxPolicy): SandboxStatus {
  if (system === undefined) throw new TypeError("a thread has to load its system before it does anything");
  return system.confine(policy);
}

function unconfined(policy: SandboxPolicy, { reason, remedy }: Lack): SandboxStatus {
  if (policy === "off") return { state: "off" };
  if (policy === "prefer")
    return { state: "unavailable", reason: `nothing is confined without Landlock of Linux, and ${reason}` };
  throw new OciUnpackError(
    "SANDBOX_UNAVAILABLE",
    `cannot confine the working threads: that takes Landlock of Linux, and ${reason}`,
    {
      hint: `${remedy}, or allow going without it: \`sandbox: "prefer"\``,
    },
  );
}
