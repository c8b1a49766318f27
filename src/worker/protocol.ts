import { type ErrorCode, OciUnpackError } from "../errors.ts";
import type { SandboxStatus, SkipReason, WarningCode } from "../events.ts";
import type { TreeFacts } from "../export/facts.ts";
import type { ExportForm } from "../export/form.ts";
import type { Limits } from "../limits.ts";
import type { ListedEntry } from "../look/listed.ts";
import type { Question } from "../look/question.ts";
import type { Digest } from "../oci/digest.ts";
import type { LayerCompression } from "../oci/media-type.ts";
import type { OverlayKind } from "../overlay/format.ts";
import type { RootfsSettings } from "../rootfs/site.ts";
import type { NamedMember } from "../source/local/archive-members.ts";
import type { SelectionPatterns } from "../tree/selection.ts";
import type { Difference } from "../verify/differences.ts";
import { LayerError } from "./in-layer.ts";
import type { SharedOutlet } from "./outlet.ts";
import type { SharedRing } from "./ring.ts";

/*
 * What the main thread and the two working threads say to each other. Bytes travel in rings, numbers for progress in
 * shared counters; messages are for the rest, a handful a layer.
 */

export type SandboxPolicy = "require" | "prefer" | "off";

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

/** How entries become files. */
export type ApplySettings = RootfsSettings;

/** What the applying thread is to do, all of it, in order. */
export interface ApplyJob {
  readonly type: "apply";
  readonly input: SharedRing;
  readonly progress: SharedArrayBuffer;
  readonly layers: number;
  /** Absolute path of the private directory that becomes the root filesystem. */
  readonly staging: string;
  /** Whether a `ManifestJob` will follow. Default: false. */
  readonly isRecorded?: boolean;
  readonly sandbox: SandboxPolicy;
  readonly settings: ApplySettings;
}

/** What it is to do next, if it was told before: to describe what came of it (mtree(5)). */
export interface ManifestJob {
  readonly type: "manifest";
  readonly outlet: SharedOutlet;
}

/** What the applying thread is to do instead, where each layer of an overlay becomes a directory of its own. */
export interface ApplyOverlayJob {
  readonly type: "apply-overlay";
  readonly input: SharedRing;
  readonly progress: SharedArrayBuffer;
  /** Absolute path of a private directory, in which layers are made, each as `NUMBER/diff`. */
  readonly staging: string;
  /** Absolute paths of the layers that are there already, bottom first; nothing for those in the ring. */
  readonly layers: readonly (string | undefined)[];
  readonly kind: OverlayKind;
  /** Whether all is to be on disk, and not only in memory, at the end. */
  readonly isKept: boolean;
  readonly sandbox: SandboxPolicy;
  readonly settings: ApplySettings;
}

/** What the merging thread is to do with the layers in the ring: to make a tree of them. */
export interface MergeJob {
  readonly type: "merge";
  readonly input: SharedRing;
  readonly progress: SharedArrayBuffer;
  readonly layers: number;
  /** Descriptor of a file for the data of the tree's files. */
  readonly contents: number;
  /** The part of the tree for which to tell what a file system must have. Absent: nothing is told. */
  readonly factsOn?: SelectionPatterns;
  readonly sandbox: SandboxPolicy;
  readonly settings: ApplySettings;
}

/** What it is to do next, maybe several times: to write that tree as an archive that fits into a form. */
export interface ArchiveJob {
  readonly type: "archive";
  readonly form: ExportForm;
  readonly selection: SelectionPatterns;
  readonly outlet: SharedOutlet;
}

/** What it is to do instead: to make a tree of the layers and compare a directory with it. */
export interface VerifyJob {
  readonly type: "verify";
  readonly input: SharedRing;
  readonly progress: SharedArrayBuffer;
  readonly layers: number;
  /** Absolute path of a root filesystem. */
  readonly directory: string;
  /** Which part of the tree it is to have. */
  readonly selection: SelectionPatterns;
  readonly sandbox: SandboxPolicy;
  readonly settings: ApplySettings;
}

/** What the merging thread is to do with layers that come newest first: to answer a question with as few as possible. */
export interface LookJob {
  readonly type: "look";
  readonly input: SharedRing;
  readonly layers: readonly NumberedLayer[];
  readonly question: Question;
  readonly sandbox: SandboxPolicy;
  readonly settings: ApplySettings;
}

/** What it is to do with one layer: to hand over the data of one of its files. */
export interface ExtractJob {
  readonly type: "extract";
  readonly input: SharedRing;
  readonly layer: number;
  /** The file's place among the entries. */
  readonly place: number;
  readonly outlet: SharedOutlet;
  readonly sandbox: SandboxPolicy;
  readonly settings: ApplySettings;
}

/** What the thread for archives is to do: to tell the members of an archive that an image is in. */
export interface IndexJob {
  readonly type: "index";
  /** Descriptor of the file that has the archive, or that is to have it. */
  readonly file: number;
  /** What is to be put into the file first, decompressed. Absent: the archive is there. */
  readonly input?: SharedRing;
  /** Where the file is, for messages. */
  readonly directory: string;
  readonly sandbox: SandboxPolicy;
  readonly limits: Limits;
}

/** Asks an applying thread, after a failure, to remove what it made, or what another one did that has ended. */
export interface DiscardJob {
  readonly type: "discard";
  readonly staging: string;
  readonly sandbox: SandboxPolicy;
}

export type Job =
  | DecompressJob
  | DigestJob
  | ApplyJob
  | ApplyOverlayJob
  | DiscardJob
  | ManifestJob
  | MergeJob
  | ArchiveJob
  | VerifyJob
  | LookJob
  | ExtractJob
  | IndexJob;

/** An error in a form that survives the way between threads. */
export interface ErrorMessage {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly stack?: string;
  /** The number of the layer that it is about, if it is about one. */
  readonly layer?: number;
}

/** What a working thread tells. */
export type Report =
  /** The thread's code is loaded: it can be given jobs, and ended without leaving anything open. */
  | { readonly type: "ready" }
  | { readonly type: "confined"; readonly status: SandboxStatus }
  | { readonly type: "space" }
  /** What a tree is like. */
  | { readonly type: "merged"; readonly facts: TreeFacts }
  /** How many entries of a tree a selection keeps, and which of its patterns match nothing. */
  | { readonly type: "selected"; readonly entries: number; readonly unmatched: readonly string[] }
  | { readonly type: "different"; readonly difference: Difference }
  /** A comparison is over: so many files and directories of the tree were there, and so much was different, told or not. */
  | { readonly type: "compared"; readonly entries: number; readonly differences: number }
  /** The next lower layer is needed for an answer. */
  | { readonly type: "layer-wanted" }
  /** Some of the entries that are asked for, in order. */
  | { readonly type: "listed"; readonly entries: readonly ListedEntry[] }
  /** All has been said; no more layers, and no more of a layer, are needed. */
  | { readonly type: "answered"; readonly place: number }
  /** Some of an archive's members, in order. */
  | { readonly type: "members"; readonly members: readonly NamedMember[] }
  /** Bytes in order, in shared memory: good until they are passed on. */
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | { readonly type: "layer-started"; readonly layer: number }
  | { readonly type: "layer-unpacked"; readonly layer: number; readonly entries: number }
  | {
      readonly type: "skipped";
      readonly layer: number;
      readonly path: string;
      readonly reason: SkipReason;
      readonly detail: string;
    }
  | {
      readonly type: "warning";
      readonly layer: number;
      readonly code: WarningCode;
      readonly message: string;
      readonly path?: string;
    }
  /** More was skipped or repaired than is told one by one. */
  | {
      readonly type: "untold";
      readonly skipped: number;
      readonly warnings: Readonly<Partial<Record<WarningCode, number>>>;
    }
  | { readonly type: "done" }
  | { readonly type: "cancelled" }
  | { readonly type: "failed"; readonly error: ErrorMessage };

/** Packs any error. One that is not ours is a defect of this program, and keeps its stack. */
export function packError(error: unknown, prefix = ""): ErrorMessage {
  if (error instanceof OciUnpackError) {
    const { code, message, hint } = error;
    const layer = error instanceof LayerError ? { layer: error.layer } : {};
    return { code, message: prefix + message, ...(hint !== undefined && { hint }), ...layer };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { code: "INTERNAL", message: `${prefix}${message}`, ...(stack !== undefined && { stack }) };
}

export function unpackError({ code, message, hint, stack, layer }: ErrorMessage): OciUnpackError {
  const error = new OciUnpackError(code, message, {
    ...(hint !== undefined && { hint }),
    ...(stack !== undefined && { cause: stack }),
  });
  return layer === undefined ? error : new LayerError(layer, error);
}
