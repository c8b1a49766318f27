import type { EventListener, SandboxStatus, SkipReason, WarningCode } from "./events.ts";
import type { Limits } from "./limits.ts";
import type { Digest } from "./oci/digest.ts";
import type { Platform } from "./oci/platform.ts";
import type { Source } from "./source/source.ts";

/** How to choose and fetch an image. */
export interface ResolveOptions {
  /** `os/architecture[/variant]`, or the parts one wants other than this machine's. Default: this machine's platform. */
  readonly platform?: string | Partial<Platform>;
  /**
   * Where images come from. Default: a registry client made for this call, anonymous. A source given here stays open; one
   * that is still being made may be given as a promise, so that other things begin meanwhile.
   */
  readonly source?: Source | Promise<Source>;
  /** Ends everything at once; the promise rejects with the signal's own reason. */
  readonly signal?: AbortSignal;
  readonly onEvent?: EventListener;
  /** Turns every lenient repair into an error. Default: false. */
  readonly strict?: boolean;
  /** Overrides single limits. */
  readonly limits?: Partial<Limits>;
  /** Whether the threads that touch image bytes must, should or need not be confined by Landlock. Default: "require". */
  readonly sandbox?: "require" | "prefer" | "off";
}

/** What to do with a device node: leave it out, make it, put an empty file in its place, or refuse the image. */
export type DevicePolicy = "skip" | "create" | "placeholder" | "error";

/** A run of ids: those from `containerID` on, in the image, are those from `hostID` on, on this machine (runtime-spec, config-linux.md). */
export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** How entries become files. */
export interface ApplyOptions {
  /** Whether files get the owners that the image states. Default: "preserve" as root or with maps of ids, else "ignore". */
  readonly owner?: "preserve" | "ignore";
  /**
   * Notes on a file, in extended attributes, the owner that it should have and did not get, or the device that it stands for:
   * in `user.rootlesscontainers` for umoci, in `user.containers.override_stat` for containers/storage. Default: false.
   */
  readonly recordOwners?: boolean;
  /**
   * What the image's users are on this machine, in access-control lists too; file capabilities are for the root among them.
   * An owner who has no place in the map is an error. Default: themselves.
   */
  readonly uidMap?: readonly IdMapping[];
  /** The same for groups. */
  readonly gidMap?: readonly IdMapping[];
  /**
   * Extended attributes to set although they belong to another machine or act on this one: `security.selinux`, `user.overlay.*`.
   * A `*` at the end stands for any rest.
   */
  readonly xattrInclude?: readonly string[];
  /** Extended attributes to leave out. Goes before `xattrInclude`. */
  readonly xattrExclude?: readonly string[];
  /** Default: "skip". */
  readonly devices?: DevicePolicy;
  /** Follows a symlink where a layer has a directory of that name, instead of replacing the link. Default: false. */
  readonly keepDirlinks?: boolean;
  /** Seconds since 1970 for what the image gives no time: implied directories, a missing root entry. Default: 0. */
  readonly sourceDateEpoch?: number;
}

/** The user of this machine that becomes root in a container without privileges. */
export interface Rootless {
  readonly uid: number;
  readonly gid: number;
}

export interface UnpackOptions extends ResolveOptions, ApplyOptions {
  /**
   * What is wanted of the image, each with all that is below it: paths from the root, in which `*` is any part of a name,
   * `?` a character, `[a-z]` one of several, and `**` any number of names. Default: everything.
   *
   * They are matched when all layers are merged, so that a whiteout or a link in the image works as always; the
   * directories that lead to what is wanted come with it, and the first name that is wanted of a file is the file.
   */
  readonly include?: readonly string[];
  /** What is not wanted, with all that is below it. Goes before `include`. */
  readonly exclude?: readonly string[];
  /**
   * Makes `config.json` the configuration of a container that runs the image, so that the directory is a bundle for runc or
   * crun (runtime-spec); the image's own configuration is `image-config.json` then. With a user: for running as that user.
   */
  readonly bundle?: boolean | Rootless;
  /**
   * A file that does not exist yet, for a list of all that was unpacked as `mtree` and `bsdtar` read it (mtree(5)): type,
   * mode, owner, time, size, link and SHA-256 of each path, taken down on the way. It appears together with the files.
   */
  readonly manifest?: string | URL;
}

export interface SkippedEntry {
  readonly layer: number;
  /** From the root. Of one that is longer than 4,096 bytes (PATH_MAX) the beginning, with `…`; so is `detail`. */
  readonly path: string;
  readonly reason: SkipReason;
  readonly detail: string;
}

/** What came of it. */
export interface UnpackResult {
  /** The canonical name of what was asked for. */
  readonly reference: string;
  /** The digest of the manifest that was unpacked. */
  readonly digest: Digest;
  readonly platform: Platform;
  /** Absolute path of the root filesystem. */
  readonly rootfs: string;
  /** Absolute path of `config.json`: the image's configuration, byte for byte, or in a bundle the container's. */
  readonly config: string;
  /** Absolute path of the list of all files, where one was wanted. */
  readonly manifest?: string;
  readonly layers: number;
  /** Entries of all layers. */
  readonly entries: number;
  /** With `include` or `exclude`: how many entries of the merged tree were kept, the directories that lead to them counted. */
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
  readonly milliseconds: number;
}
