import type { Allowance } from "../layer/allowance.ts";
import type { Findings } from "../layer/findings.ts";
import type { Paths } from "../layer/paths.ts";
import type { Limits } from "../limits.ts";
import type { Memory } from "../memory-budget.ts";
import type { DevicePolicy, IdMapping } from "../options.ts";
import type { Directories } from "./directories.ts";
import type { Directory } from "./directory.ts";
import type { Metadata } from "./metadata.ts";
import type { Owners } from "./owners.ts";
import type { Parents } from "./parents.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Tree } from "./tree.ts";
import type { Xattrs } from "./xattrs.ts";

/** How entries become files. */
export interface RootfsSettings {
  /** Whether files get the owners that the image states. Absent: "preserve" for root, and where there are maps; else "ignore". */
  readonly owner?: "preserve" | "ignore";
  /** Whether an owner that a file does not get, or the device that it stands for, is noted in its extended attributes. */
  readonly recordOwners?: boolean;
  /** What the image's users and groups are on this machine. Absent: themselves. */
  readonly uidMap?: readonly IdMapping[];
  readonly gidMap?: readonly IdMapping[];
  readonly devices: DevicePolicy;
  readonly keepDirlinks: boolean;
  /** Seconds since 1970 for what the image gives no time. */
  readonly sourceDateEpoch: number;
  readonly strict: boolean;
  readonly limits: Limits;
  /** Extended attributes to set although the filter table leaves them out; a `*` at the end stands for any rest. */
  readonly xattrInclude?: readonly string[];
  /** Extended attributes to leave out. */
  readonly xattrExclude?: readonly string[];
}

/** The root filesystem while it is being built: what all layers work on, and work with. */
export interface Site {
  readonly settings: RootfsSettings;
  readonly findings: Findings;
  readonly surroundings: Surroundings;
  readonly tree: Tree;
  readonly parents: Parents;
  readonly paths: Paths<Directory>;
  readonly owners: Owners;
  readonly xattrs: Xattrs;
  readonly metadata: Metadata;
  readonly directories: Directories;
  /** Whether this is a layer of an overlay, to which some files mean more than they say. */
  readonly isOverlayLayer: boolean;
  /** What may still be applied. */
  readonly entries: Allowance;
  /** Where what is remembered is counted. */
  readonly memory: Memory;
  /** What copies in the place of hard links may still take. */
  readonly copiedBytes: Allowance;
}
