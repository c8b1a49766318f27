import { OciUnpackError } from "../base/errors.ts";
import type { OciUnpackEvent, WarningCode } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import type { SandboxPolicy, SandboxStatus } from "../base/sandbox.ts";
import type { Digest } from "../oci/digest.ts";
import type { LayerCompression } from "../oci/media-type.ts";
import type { PackedError } from "./packed-error.ts";
import type { SharedRing } from "./ring.ts";

/*
 * What the main thread and the working threads say to each other. Bytes travel in rings, numbers for progress in shared
 * counters; messages are for the rest, a handful a layer. Here are those of every verb: a verb's own jobs and reports stand
 * beside what does them.
 */

/** What is told between threads. */
export interface Message {
  readonly type: string;
}

/** What a thread is to do. */
export type Job = Message;

/** What a thread is told when it starts. */
export interface ThreadSettings {
  /** Where it notes which descriptors it has open. */
  readonly descriptors: SharedArrayBuffer;
}

/** A layer as the working threads know it. */
export interface NumberedLayer {
  /** From 0 at the bottom of the image. Not all of its layers need be there. */
  readonly number: number;
  /** What the media type says, where it says something. */
  readonly compression: LayerCompression | undefined;
  readonly diffID: Digest;
}

/** What the decompressing thread is to do, all of it, in order. */
export interface DecompressJob {
  readonly type: "decompress";
  readonly input: SharedRing;
  readonly output: SharedRing;
  readonly progress: SharedArrayBuffer;
  readonly layers: readonly NumberedLayer[];
  /** Whether this thread verifies the diffIDs too; else a thread of its own does. */
  readonly verifies: boolean;
  readonly sandbox: SandboxPolicy;
  readonly strict: boolean;
  readonly limits: Limits;
}

/** What the digesting thread is to do: to read along and verify each archive's diffID. */
export interface DigestJob {
  readonly type: "digest";
  /** Read as its second reader. */
  readonly input: SharedRing;
  readonly layers: readonly NumberedLayer[];
  readonly sandbox: SandboxPolicy;
}

/** Asks an applying thread, after a failure, to remove what it made, or what another one did that has ended. */
export interface DiscardJob {
  readonly type: "discard";
  readonly staging: string;
  readonly sandbox: SandboxPolicy;
}

/** What every working thread may tell, whatever its job. */
export type EngineReport =
  /** The thread's code is loaded: it can be given jobs, and ended without leaving anything open. */
  | { readonly type: "ready" }
  | { readonly type: "confined"; readonly status: SandboxStatus }
  | { readonly type: "space" }
  /** Bytes in order, in shared memory: good until they are passed on. */
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | Extract<OciUnpackEvent, { readonly type: "layer-started" | "layer-finished" | "skipped" }>
  | (Extract<OciUnpackEvent, { readonly type: "warning" }> & { readonly layer: number })
  /** More was skipped or repaired than is told one by one. */
  | {
      readonly type: "untold";
      readonly skipped: number;
      readonly warnings: Readonly<Partial<Record<WarningCode, number>>>;
    }
  | { readonly type: "done" }
  | { readonly type: "cancelled" }
  | { readonly type: "failed"; readonly error: PackedError };

/** A report of a type that whoever receives it does not know: a defect of this program. */
export function unknownReport({ type }: Message): OciUnpackError {
  return new OciUnpackError("INTERNAL", `cannot go on: a working thread tells of "${type}", which nobody knows`);
}
