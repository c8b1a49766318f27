import { defaultLimits, type Limits } from "../base/limits.ts";
import type { DevicePolicy, OwnerChoice } from "../base/option-words.ts";
import { present } from "../base/present.ts";

/**
 * A run of ids: those from `containerID` on, in the image, are those from `hostID` on, on this machine (runtime-spec,
 * config-linux.md).
 */
export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** How entries become files. */
export interface ApplyOptions {
  /**
   * Whether files get the owners that the image states. Default: "preserve" as root or with maps of ids, else "ignore".
   */
  readonly owner?: OwnerChoice;
  /**
   * Notes on a file, in extended attributes, the owner that it should have and did not get, or the device that it
   * stands for: in `user.rootlesscontainers` for umoci, in `user.containers.override_stat` for containers/storage.
   * Default: false.
   */
  readonly recordOwners?: boolean;
  /**
   * What the image's users are on this machine, in access-control lists too; file capabilities are for the root among
   * them. An owner who has no place in the map is an error. Default: themselves.
   */
  readonly uidMap?: readonly IdMapping[];
  /** The same for groups. */
  readonly gidMap?: readonly IdMapping[];
  /**
   * Extended attributes to set although they belong to another machine or act on this one: `security.selinux`,
   * `user.overlay.*`. A `*` at the end stands for any rest.
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

/** `ApplyOptions` with every default settled, and what of the other options matters where entries become files. */
export interface RootfsSettings
  extends Required<Omit<ApplyOptions, WithoutDefault>>,
    Pick<ApplyOptions, WithoutDefault> {
  readonly strict: boolean;
  readonly limits: Limits;
  /** Whether names that begin with `.wh.` say what is hidden. In an artifact they are names. */
  readonly hasWhiteouts: boolean;
}

/** Absent, they mean what depends on who unpacks: see `ApplyOptions`. */
type WithoutDefault = "owner" | "uidMap" | "gidMap";

/** What `ApplyOptions` come to: the one place where their defaults are. */
export function applySettings(
  options: ApplyOptions & { readonly strict?: boolean; readonly limits?: Limits } = {},
): RootfsSettings {
  const { owner, uidMap, gidMap } = options;
  return {
    ...present({ owner, uidMap, gidMap }),
    recordOwners: options.recordOwners ?? false,
    devices: options.devices ?? "skip",
    keepDirlinks: options.keepDirlinks ?? false,
    xattrInclude: options.xattrInclude ?? [],
    xattrExclude: options.xattrExclude ?? [],
    sourceDateEpoch: options.sourceDateEpoch ?? 0,
    strict: options.strict ?? false,
    limits: options.limits ?? defaultLimits,
    hasWhiteouts: true,
  };
}
