import type { Memory } from "../base/memory-budget.ts";
import type { Allowance } from "../layer/allowance.ts";
import type { Findings } from "../layer/findings.ts";
import type { Paths } from "../layer/paths.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { Directories } from "./directories.ts";
import type { DiskDirectory } from "./directory.ts";
import type { Metadata } from "./metadata.ts";
import type { Owners } from "./owners.ts";
import type { Parents } from "./parents.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Tree } from "./tree.ts";
import type { Xattrs } from "./xattrs.ts";

/** The root filesystem while it is being built: what all layers work on, and work with. */
export interface Site {
  readonly settings: RootfsSettings;
  readonly findings: Findings;
  readonly surroundings: Surroundings;
  readonly tree: Tree;
  readonly parents: Parents;
  readonly paths: Paths<DiskDirectory>;
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
