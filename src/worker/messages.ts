import { OciUnpackError } from "../base/errors.ts";
import type { OciUnpackEvent, SandboxStatus, WarningCode } from "../base/events.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import type { Digest } from "../oci/digest.ts";
import type { LayerCompression } from "../oci/media-type.ts";
import type { PackedError } from "./packed-error.ts";

/*
 * The messages between the main thread and the working threads: jobs to a thread, reports from it. There are only a few
 * for each layer, because bytes go through rings and progress through shared counters. This file has the messages that
 * all verbs need. The jobs and reports of one verb are defined in the file that does the job, `*-job.ts`.
 */

/** What all messages between threads have. */
export interface Message {
  readonly type: string;
}

/** What a thread is to do. */
export type Job = Message;

/** What a thread is given when it starts. */
export interface ThreadSettings {
  /** Where it writes down which file descriptors it has open. */
  readonly descriptors: SharedArrayBuffer;
}

/** What the working threads need to know of a layer. */
export interface NumberedLayer {
  /**
   * The layer's position in the image, from 0 at the bottom. A job may leave out layers, so positions may be missing.
   */
  readonly number: number;
  /** The compression that the media type states, if it states one. */
  readonly compression: LayerCompression | undefined;
  readonly diffID: Digest;
}

/** Asks an applying thread, after a failure, to empty the staging directory, which another thread may have filled. */
export interface DiscardJob {
  readonly type: "discard";
  readonly staging: string;
  readonly sandbox: SandboxPolicy;
}

/** The reports that every working thread may send, whatever its job. */
export type EngineReport =
  /** The thread has loaded its code. From now on it takes jobs, and can be ended without leaving files open. */
  | { readonly type: "ready" }
  | { readonly type: "confined"; readonly status: SandboxStatus }
  /** The reader of a ring freed the space that an asynchronous writer waits for. */
  | { readonly type: "space" }
  /** The next bytes of an outlet, in shared memory. They are valid until `passedOn` is called. */
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | Extract<OciUnpackEvent, { readonly type: "layer-started" | "layer-finished" | "skipped" }>
  | (Extract<OciUnpackEvent, { readonly type: "warning" }> & { readonly layer: number })
  /** How much was skipped or repaired beyond what was reported one by one. */
  | {
      readonly type: "untold";
      readonly skipped: number;
      readonly warnings: Readonly<Partial<Record<WarningCode, number>>>;
    }
  | { readonly type: "done" }
  | { readonly type: "cancelled" }
  | { readonly type: "failed"; readonly error: PackedError };

/** The error for a report of an unknown type, which is a defect of this program. */
export function unknownReport({ type }: Message): OciUnpackError {
  return new OciUnpackError("INTERNAL", `cannot go on: a working thread tells of "${type}", which nobody knows`);
}
