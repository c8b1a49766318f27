import { type ErrorCode, type ErrorDetails, OciUnpackError } from "../base/errors.ts";
import type { OciUnpackEvent, SandboxStatus, WarningCode } from "../base/events.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import { errorCode } from "../base/system-error.ts";
import type { Digest } from "../oci/digest.ts";
import type { LayerCompression } from "../oci/media-type.ts";

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
  /** What stands for it: its index, in gzip, instead of its archive. Default: the archive. */
  readonly form?: "index";
  /** The compression that the media type states, if it states one. */
  readonly compression: LayerCompression | undefined;
  /** The digest of the decompressed archive; `undefined` where nobody states it. */
  readonly diffID: Digest | undefined;
  /** The path that the entries of an artifact's archive have to be at, or below. Not in images. */
  readonly below?: string;
  /** The size of its blob. */
  readonly compressedBytes: number;
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
  /** The decompressing thread has something for those that decode ahead. */
  | { readonly type: "ahead" }
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

/** An error of this library as a plain object, because a message between threads does not keep an error's class. */
export interface PackedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: ErrorDetails;
  readonly cause: PackedCause | undefined;
}

/** The cause of an error: one of this library, any other error, or a thrown value that is no error. */
type PackedCause =
  | { readonly type: "library"; readonly error: PackedError }
  | {
      readonly type: "foreign";
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly code: string | undefined;
      readonly cause: PackedCause | undefined;
    }
  | { readonly type: "thrown"; readonly text: string };

/** More than any chain of causes in this library. Causes could lead in a circle. */
const mostCauses = 8;

/** Packs any error. One that is not of this library is a defect: it becomes the cause of an `INTERNAL` error. */
export function packError(error: unknown, depth = 0): PackedError {
  if (error instanceof OciUnpackError) {
    const { code, message, hint, details, cause } = error;
    return { code, message, hint, details, cause: packCause(cause, depth + 1) };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: "INTERNAL", message, hint: undefined, details: {}, cause: packCause(error, depth + 1) };
}

function packCause(cause: unknown, depth: number): PackedCause | undefined {
  if (cause === undefined || depth > mostCauses) return undefined;
  if (cause instanceof OciUnpackError) return { type: "library", error: packError(cause, depth) };
  if (!(cause instanceof Error)) return { type: "thrown", text: String(cause) };
  const { name, message, stack } = cause;
  return { type: "foreign", name, message, stack, code: errorCode(cause), cause: packCause(cause.cause, depth + 1) };
}

/** Makes the error again that another thread packed. */
export function unpackError({ code, message, hint, details, cause }: PackedError): OciUnpackError {
  return new OciUnpackError(code, message, present({ hint, details, cause: unpackCause(cause) }));
}

function unpackCause(packed: PackedCause | undefined): unknown {
  if (packed === undefined) return undefined;
  if (packed.type === "library") return unpackError(packed.error);
  if (packed.type === "thrown") return packed.text;
  const { name, message, stack, code } = packed;
  const cause = unpackCause(packed.cause);
  return Object.assign(new Error(message, present({ cause })), present({ name, stack, code }));
}
