import type { Allowance } from "../layer/allowance.ts";
import type { LayerContext } from "../layer/context.ts";
import type { Parents } from "../layer/parents.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { Directories } from "./directories.ts";
import type { OnDisk } from "./directory.ts";
import type { Metadata } from "./metadata.ts";
import type { Owners } from "./owners.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Tree } from "./tree.ts";
import type { Xattrs } from "./xattrs.ts";

/** The root filesystem while it is being built: what all layers work on, and work with. */
export interface RootfsContext extends LayerContext<OnDisk> {
  readonly settings: RootfsSettings;
  readonly surroundings: Surroundings;
  readonly tree: Tree;
  readonly parents: Parents<OnDisk>;
  readonly owners: Owners;
  readonly xattrs: Xattrs;
  readonly metadata: Metadata;
  readonly directories: Directories;
  /** Whether this is a layer of an overlay, to which some files mean more than they say. */
  readonly isOverlayLayer: boolean;
  /** What copies in the place of hard links may still take. */
  readonly copiedBytes: Allowance;
}
