import type { LayerContext } from "../layer/context.ts";
import type { CountedLimit } from "../layer/counted-limits.ts";
import type { Parents } from "../layer/parents.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { DirectoryAttributes } from "./directory-attributes.ts";
import type { OnDisk } from "./disk-directory.ts";
import type { DiskTree } from "./disk-tree.ts";
import type { DiskXattrs } from "./disk-xattrs.ts";
import type { FileSystemTraits } from "./file-system-probe.ts";
import type { Metadata } from "./metadata.ts";
import type { Owners } from "./owners.ts";

/** The root filesystem while it is being built: what all layers work on, and work with. */
export interface RootfsContext extends LayerContext<OnDisk> {
  readonly settings: RootfsSettings;
  readonly fileSystem: FileSystemTraits;
  readonly tree: DiskTree;
  readonly parents: Parents<OnDisk>;
  readonly owners: Owners;
  readonly xattrs: DiskXattrs;
  readonly metadata: Metadata;
  readonly directoryAttributes: DirectoryAttributes;
  /** Whether this is a layer of an overlay, to which some files mean more than they say. */
  readonly isOverlayLayer: boolean;
  /** What copies in the place of hard links may still take. */
  readonly copiedBytes: CountedLimit;
}
