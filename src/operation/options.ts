import type { SandboxStatus, SkipReason, WarningCode } from "../base/events.ts";
import type { Rootless } from "../bundle/user.ts";
import type { ResolveOptions } from "../image/options.ts";
import type { ApplyOptions } from "../layer/settings.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import type { VerifiedSignature } from "../trust/options.ts";

export interface UnpackOptions extends ResolveOptions, ApplyOptions {
  /**
   * What is wanted of the image, each with all that is below it: paths from the root, in which `*` is any part of a
   * name, `?` a character, `[a-z]` one of several, and `**` any number of names. Default: everything.
   *
   * They are matched when all layers are merged, so that a whiteout or a link in the image works as always; the
   * directories that lead to what is wanted come with it, and the first name that is wanted of a file is the file.
   */
  readonly include?: readonly string[];
  /** What is not wanted, with all that is below it. Goes before `include`. */
  readonly exclude?: readonly string[];
  /**
   * Makes `config.json` the configuration of a container that runs the image, so that the directory is a bundle for
   * runc or crun (runtime-spec); the image's own configuration is `image-config.json` then. With a user: for running as
   * that user.
   */
  readonly bundle?: boolean | Rootless;
  /**
   * A file that does not exist yet, for a list of all that was unpacked as `mtree` and `bsdtar` read it (mtree(5)):
   * type, mode, owner, time, size, link and SHA-256 of each path, taken down on the way. It appears together with the
   * files.
   */
  readonly mtree?: string | URL;
}

export interface SkippedEntry {
  readonly layer: number;
  /** From the root. Of one that is longer than 4,096 bytes (PATH_MAX) the beginning, with `…`; so is `detail`. */
  readonly path: string;
  readonly reason: SkipReason;
  readonly detail: string;
}

/** What every result begins with. */
export interface OperationResult {
  /** The canonical name of what was asked for. */
  readonly reference: string;
  /** The digest of the manifest. */
  readonly digest: Digest;
  readonly platform: Platform;
  /** How many layers the image has. */
  readonly layers: number;
  /** The signatures that were verified; absent where none was demanded. */
  readonly verified?: readonly VerifiedSignature[];
  /** How long the call took. */
  readonly milliseconds: number;
}

/** What came of an unpacking. */
export interface UnpackResult extends OperationResult {
  /** Absolute path of the root filesystem. */
  readonly rootfs: string;
  /** Absolute path of `config.json`: the image's configuration, byte for byte, or in a bundle the container's. */
  readonly config: string;
  /** Absolute path of the list of all files, where one was wanted. */
  readonly mtree?: string;
  /** Entries of all layers. */
  readonly entries: number;
  /**
   * With `include` or `exclude`: how many entries of the merged tree were kept, the directories that lead to them
   * counted.
   */
  readonly keptEntries?: number;
  /** Compressed bytes that came over the network. */
  readonly downloadedBytes: number;
  /** Decompressed bytes of all layers. */
  readonly unpackedBytes: number;
  /** The first thousand things left out, in order. */
  readonly skipped: readonly SkippedEntry[];
  /** How many there were in all. */
  readonly skippedCount: number;
  /** How often each repair was made. */
  readonly warnings: Readonly<Partial<Record<WarningCode, number>>>;
  readonly sandbox: SandboxStatus;
}
