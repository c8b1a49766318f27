import type { Limits } from "../base/limits.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import type { DigestJob, DigestReport } from "./digest-job.ts";
import type { IndexReceiver, IndexSink } from "./index-receiver.ts";
import type { EngineReport } from "./messages.ts";
import type { SharedRing } from "./ring.ts";
import type { Thread } from "./thread.ts";

/** What is digested, and who is told. */
interface Digested {
  readonly layers: DigestJob["layers"];
  /** Whether diffIDs are verified. */
  readonly hasDigestThread: boolean;
  readonly indexes?: IndexSink | undefined;
  readonly sandbox: SandboxPolicy;
  readonly settings: { readonly limits: Limits };
  /** Must not throw. */
  readonly onReport: (report: EngineReport) => void;
}

interface Digesting {
  readonly archives: SharedRing;
  readonly receiver: IndexReceiver | undefined;
  readonly stop: AbortSignal;
}

/** Has a thread verify diffIDs, make indexes, or both. */
export async function digest(
  { layers, hasDigestThread, indexes, sandbox, settings, onReport }: Digested,
  thread: Thread,
  { archives, receiver, stop }: Digesting,
): Promise<void> {
  const job: DigestJob = {
    type: "digest",
    input: archives,
    layers,
    verifies: hasDigestThread,
    ...present({ index: receiver && indexes && { layers: indexes.layers, outlet: receiver.outlet } }),
    sandbox,
    limits: settings.limits,
  };
  const pass = (report: EngineReport | DigestReport) => {
    if (report.type === "bytes" || report.type === "indexed") receiver?.report(report);
    else onReport(report);
  };
  try {
    await thread.do<DigestJob, DigestReport>(job, { onReport: pass, stop });
  } finally {
    await receiver?.idle(); // also after a failure: what is written then would be left behind
  }
  await receiver?.finished();
}
