import type { Limits } from "../base/limits.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import type { DigestJob } from "./digest-job.ts";
import { doIndexing, type IndexReceiver } from "./index-receiver.ts";
import type { EngineReport } from "./messages.ts";
import type { SharedRing } from "./ring.ts";
import type { Thread } from "./thread.ts";

/** What is digested, and who is told. */
interface Digested {
  readonly layers: DigestJob["layers"];
  /** Whether diffIDs are verified. */
  readonly hasDigestThread: boolean;
  readonly sandbox: SandboxPolicy;
  readonly settings: { readonly limits: Limits };
  /** Must not throw. */
  readonly onReport: (report: EngineReport) => void;
}

interface Digesting {
  readonly archives: SharedRing;
  /** Who takes the indexes, if this thread makes them. */
  readonly receiver: IndexReceiver | undefined;
  readonly stop: AbortSignal;
}

/** Has a thread verify diffIDs, make indexes, or both. */
export async function digest(
  { layers, hasDigestThread, sandbox, settings, onReport }: Digested,
  thread: Thread,
  { archives, receiver, stop }: Digesting,
): Promise<void> {
  const job: DigestJob = {
    type: "digest",
    input: archives,
    layers,
    verifies: hasDigestThread,
    ...present({ index: receiver?.order }),
    sandbox,
    limits: settings.limits,
  };
  await doIndexing(thread, job, { onReport, stop }, receiver);
}
