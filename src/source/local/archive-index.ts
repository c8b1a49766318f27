import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { cancelledBy, together, unlessAborted } from "../../base/abort.ts";
import type { Limits } from "../../base/limits.ts";
import type { SandboxPolicy } from "../../base/option-words.ts";
import { present } from "../../base/present.ts";
import { insistOnSharedDescriptors } from "../../base/shared-descriptors.ts";
import type { ByteString } from "../../tar/byte-string.ts";
import { type EngineReport, type Message, unknownReport } from "../../worker/messages.ts";
import { AsyncRingWriter, cancelRing, createRing } from "../../worker/ring.ts";
import { startLibuvPool, Thread } from "../../worker/thread.ts";
import type { ArchiveMember } from "./archive-members.ts";
import type { IndexJob, IndexReport } from "./index-archive-job.ts";

/** How an archive is read. */
export interface ArchiveOptions {
  readonly limits: Limits;
  /** Whether the thread that reads it must be confined, should be, or need not be. */
  readonly sandbox: SandboxPolicy;
  /** Ends it at once, also while the thread is busy with the archive. */
  readonly signal: AbortSignal;
}

/** The size of the ring between the main thread and the one that decompresses. */
const ringBytes = 2 * 1024 * 1024;

/**
 * Lists the members of the archive in `file`, on a confined thread: the archive may be as hostile as a layer. With
 * `input`, the thread first writes that to the file, decompressed if it is compressed.
 *
 * If it fails or is aborted, it throws after the thread has ended.
 */
export async function archiveIndex(
  file: FileHandle,
  input: AsyncIterable<Uint8Array> | undefined,
  { limits, sandbox, signal }: ArchiveOptions,
): Promise<ReadonlyMap<ByteString, ArchiveMember>> {
  insistOnSharedDescriptors("read an image in an archive");
  const members = new Map<ByteString, ArchiveMember>();
  const ring = createRing(ringBytes, 1);
  const writer = new AsyncRingWriter(ring);
  let unknown: Message | undefined;
  const onReport = (report: EngineReport | IndexReport) => {
    if (report.type === "space") writer.wake();
    else if (report.type === "members") for (const { name, member } of report.members) members.set(name, member);
    else if (report.type !== "confined") unknown = report;
  };
  const job: IndexJob = present({
    type: "index" as const,
    file: file.fd,
    directory: tmpdir(),
    sandbox,
    limits,
    input: input === undefined ? undefined : ring,
  });
  await startLibuvPool();
  signal.throwIfAborted(); // nobody would tell the thread
  await using thread = new Thread("archive-worker");
  await together(signal, [
    (stop) =>
      cancelledBy(stop, () => {
        cancelRing(ring);
        writer.wake();
      }),
    async (stop) => {
      if (input !== undefined) await feed(input, writer, stop);
    },
    (stop) => thread.do(job, { onReport, stop }),
  ]);
  if (unknown !== undefined) throw unknownReport(unknown);
  return members;
}

async function feed(input: AsyncIterable<Uint8Array>, writer: AsyncRingWriter, signal: AbortSignal): Promise<void> {
  const chunks = input[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await unlessAborted(chunks.next(), signal);
      if (done === true) break;
      await writer.write(value);
    }
  } finally {
    chunks.return?.().catch(() => {}); // not awaited, because it may wait for bytes that never come
  }
  writer.end();
}
