import { CompressedInput } from "../blob/compressed-input.ts";
import type { ByteSpace } from "../blob/decompressed-output.ts";
import { GatheredOutput } from "../blob/gathered-output.ts";
import { confineThread } from "../linux/confinement.ts";
import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { HandedFileMaker } from "../rootfs/handed-file-maker.ts";
import type { ContentJob } from "../worker/content-threads.ts";
import { packError } from "../worker/messages.ts";
import { RingCancelled, RingReader, RingWriter } from "../worker/ring.ts";
import {
  ContentBody,
  type ContentMessage,
  ContentReader,
  readTraits,
  type ToldOutcome,
  writeOutcome,
} from "./content-messages.ts";

/**
 * Makes the files that come through the ring, until there are no more. This thread may write beneath the staging
 * directory and nowhere else, as the one that makes the names.
 */
export function makeContents(job: ContentJob): void {
  const root = openDirectoryPath(job.staging);
  try {
    confineThread(job.sandbox, { writableBeneath: root });
    const input = new CompressedInput(new RingReader(job.input));
    if (input.peek() === undefined) return; // no file came
    using maker = new HandedFileMaker(root, job.settings, readTraits(input));
    const output = new GatheredOutput(new RingWriter(job.output));
    input.beforeReading = () => output.handOn(); // whoever waits for outcomes is woken for all that are known
    makeFiles(maker, input, output);
  } finally {
    closeDescriptor(root);
  }
}

function makeFiles(maker: HandedFileMaker, input: CompressedInput, output: ByteSpace): void {
  const messages = new ContentReader(input);
  let failure: unknown;
  let isFailureTold = false;
  for (let message = messages.next(); message !== undefined; message = messages.next()) {
    const body = new ContentBody(input, message.type === "file" ? message.entry.sizeBytes : 0);
    // After a file that could not be made, nothing is.
    if (failure === undefined) failure = errorOf(maker, message, body);
    if (message.type === "directory") continue;
    while (body.read() !== undefined);
    writeOutcome(isFailureTold ? undefined : toldOf(maker, failure), output);
    isFailureTold = failure !== undefined;
  }
}

/** Does what a message says, and gives the error that comes of it. */
function errorOf(maker: HandedFileMaker, message: ContentMessage, body: ContentBody): unknown {
  try {
    if (message.type === "directory") maker.enter(message.path);
    else maker.make(message.name, message.entry, body);
    return undefined;
  } catch (error) {
    if (error instanceof RingCancelled) throw error;
    return error;
  }
}

function toldOf(maker: HandedFileMaker, failure: unknown): ToldOutcome | undefined {
  const findings = maker.takeFindings();
  if (failure !== undefined) return { findings, error: packError(failure) };
  return findings.length > 0 ? { findings } : undefined;
}
