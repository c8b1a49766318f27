/** Why an entry, or a part of one, is not in the root filesystem as the image describes it. */
export type SkipReason =
  | "device" // device nodes are not created unless asked for
  | "reserved-name" // a `.wh.` component in the middle of a path, or AUFS's own metadata
  | "unsupported-type" // an entry type that has no meaning in a layer
  | "owner" // this user may not give files away
  | "mode" // the file system or the kernel dropped a mode bit
  | "xattr-filtered" // the filter table keeps this extended attribute out
  | "xattr-unsupported" // the file system cannot store it
  | "xattr-denied" // this user may not set it
  | "xattr-unmapped" // a user or group in it is not in the maps
  | "times"; // the file system cannot store this time

/** A repair that `strict` would have refused. The words are stable; docs/errors.md explains each. */
export type WarningCode =
  | "MEDIA_TYPE_DISAGREES" // a layer's bytes are compressed otherwise than its media type says
  | "HISTORY_DISAGREES" // the config's history has another number of layers than there are
  | "PLATFORM_DIFFERS" // the only image is for another platform than this machine's
  | "DIGEST_HEADER_DISAGREES" // Docker-Content-Digest is not the digest of the body (tag pulls)
  | "TRAILING_BYTES" // bytes other than zeros after the compressed stream or after the archive's end
  | "MISSING_END_MARKER" // the archive ends without its two zero blocks
  | "LONE_ZERO_BLOCK" // a single block of zeros stands between two entries
  | "GLOBAL_HEADER_IGNORED" // a pax global header tried to set attributes of later entries
  | "PATH_NORMALISED" // `a/../b` was read as `b`
  | "TRAILING_SLASH" // an empty file whose name ends in a slash was read as a directory
  | "EMPTY_NAME" // an entry without a name was skipped
  | "DUPLICATE_ENTRY" // one layer names a path twice; the later entry wins
  | "PARENT_REPLACED" // a file stood where an entry needs a directory
  | "RESERVED_NAME" // a name that begins with `.wh.` where it is not a whiteout
  | "UNUSUAL_WHITEOUT" // a whiteout that is not an empty regular file
  | "UNSUPPORTED_TYPE" // an entry type that has no meaning in a layer was skipped
  | "TIME_CLAMPED" // a time outside what the system can express
  | "LINK_COPIED" // a hard link became a copy
  | "SETGID_DROPPED" // the kernel dropped a set-group-ID bit
  | "LINK_ATTRIBUTES" // a hard link's header states other attributes than its target has
  | "WHITEOUT_WITHOUT_TARGET" // a whiteout of a path that does not exist
  | "XATTR_NOT_APPLIED" // an extended attribute could not be stored
  | "TABLE_REFUSED" // a layer's table of contents breaks a rule: the layer was read instead
  | "PATTERN_UNMATCHED" // a pattern of include or exclude matches nothing in the image
  | "CREDENTIALS_IGNORED" // stored credentials were rejected, so the pull went on anonymously
  | "LABEL_LEFT_OUT" // a label that a container runtime would obey is no annotation of the bundle
  | "USER_NOT_MAPPED" // a bundle whose user namespace lacks the user that the image runs as
  | "CONFIGURATION"; // a configuration file, or a part of it, could not be used

/** The progress of a layer. `layer` is its position from the bottom, counted from 0. */
export interface LayerProgress {
  readonly layer: number;
  /** Compressed bytes so far. The number is absolute, so that it does no harm if an event is lost or repeated. */
  readonly bytes: number;
  readonly totalBytes: number;
}

/** A layer was read whole, now or when its index was made; or only its table of contents is known to be the image's. */
export type VerifiedBy = "layer" | "table";

/** What a decision was about. */
export type DecisionTopic =
  | "reference"
  | "configuration"
  | "endpoint"
  | "proxy"
  | "credentials"
  | "challenge"
  | "token"
  | "redirect"
  | "retry"
  | "range"
  | "platform"
  | "signature"
  | "referrers"
  | "store";

/**
 * What a call has to tell while it runs, of every verb. Numbers are absolute; at most ten progress events a second a
 * layer.
 */
export type OciUnpackEvent =
  | { readonly type: "request"; readonly method: string; readonly url: string; readonly status: number }
  | { readonly type: "authenticate"; readonly realm: string; readonly scheme: "basic" | "bearer" }
  | {
      readonly type: "retrying";
      readonly url: string;
      readonly attempt: number;
      readonly delayMilliseconds: number;
      readonly reason: string;
    }
  /** Another process holds something that is needed, and this one has waited a second for it. `reason` says what. */
  | { readonly type: "waiting"; readonly reason: string }
  /** Why something is done as it is, for `--explain`. It never contains a secret. */
  | { readonly type: "decision"; readonly topic: DecisionTopic; readonly message: string }
  | {
      readonly type: "resolved";
      readonly reference: string;
      readonly digest: string;
      readonly platform: string;
      /** Bottom layer first. A blob that stands twice in the manifest stands twice here and is downloaded once. */
      readonly layers: readonly { readonly digest: string; readonly sizeBytes: number }[];
      /** Bytes to download; repeated blobs count once. */
      readonly totalBytes: number;
    }
  /**
   * How many bytes of a blob came out of a store instead of over the network; they count as downloaded in the next two.
   */
  | { readonly type: "stored"; readonly digest: string; readonly bytes: number }
  | ({ readonly type: "download-progress" } & LayerProgress)
  | ({ readonly type: "downloaded" } & LayerProgress)
  /** With `partial`: by what the digests in the manifest prove what was read of a layer. */
  | { readonly type: "layer-verified"; readonly layer: number; readonly digest: string; readonly verified: VerifiedBy }
  | { readonly type: "layer-started"; readonly layer: number }
  | ({ readonly type: "layer-progress"; readonly entries: number } & LayerProgress)
  | { readonly type: "layer-finished"; readonly layer: number; readonly entries: number }
  | {
      readonly type: "skipped";
      readonly layer: number;
      /** From the root. Of one that is longer than 4,096 bytes (PATH_MAX) the beginning, with `…`; so is `detail`. */
      readonly path: string;
      readonly reason: SkipReason;
      readonly detail: string;
    }
  | {
      readonly type: "warning";
      readonly code: WarningCode;
      readonly message: string;
      readonly layer?: number;
      /** As in `skipped`. */
      readonly path?: string;
    }
  | { readonly type: "sandbox"; readonly status: SandboxStatus }
  /** All is done. What was made is at the path `output`, or went into a stream ("-"); absent where nothing was made. */
  | { readonly type: "finished"; readonly digest: string; readonly output?: string; readonly milliseconds: number };

/** Receives events, synchronously, in order. What it throws ends the call with that error. */
export type EventListener = (event: OciUnpackEvent) => void;

/** Options of every request. */
export interface FetchOptions {
  /** Ends the call, which then rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
  /** Receives what happens, as it happens. */
  readonly onEvent?: EventListener;
}

/** How far the threads that touch image bytes are confined. */
export type SandboxStatus = (
  | { readonly state: "enforced"; readonly abi: number }
  | { readonly state: "unavailable"; readonly reason: string }
  | { readonly state: "off" }
) & {
  /** There is no `openat2` here (Linux before 5.6, or a filter): names are looked up component by component instead. */
  readonly withoutOpenat2?: true;
};
