import type { Limits } from "../base/limits.ts";
import { type Memory, MemoryBudget } from "../base/memory-budget.ts";
import type { LayerContext } from "../layer/back-end.ts";
import { CountedLimit } from "../layer/counted-limits.ts";
import { Directory, impliedAttributes } from "../layer/directory.ts";
import { Findings, type FindingsReporter } from "../layer/findings.ts";
import { Parents } from "../layer/parents.ts";
import { Paths } from "../layer/paths.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { XattrFilter, XattrRules } from "../layer/xattr-rules.ts";
import { effectiveUser } from "../linux/thread.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { DirectoryAttributes } from "./directory-attributes.ts";
import { DiskState, type OnDisk } from "./disk-directory.ts";
import { DiskTree } from "./disk-tree.ts";
import { DiskXattrs, type StoredNames } from "./disk-xattrs.ts";
import { type FileSystemTraits, type ProbedPlace, prepareRoot } from "./file-system-probe.ts";
import type { HandedFiles } from "./handed-files.ts";
import { Handles } from "./handles.ts";
import { Metadata } from "./metadata.ts";
import { type OwnerPolicy, Owners } from "./owners.ts";
import { XattrIds } from "./xattr-ids.ts";

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
  /** Files that others make, where there are others. */
  readonly handed: HandedFiles | undefined;
  /** What copies in the place of hard links may still take. */
  readonly copiedBytes: CountedLimit;
}

/** In what a root filesystem differs that is one layer of an overlay. */
interface OverlayVariation {
  /**
   * Extended attributes that are set although the filter table leaves them out, under the names that they are stored
   * by.
   */
  readonly xattrInclude: readonly string[];
  readonly xattrNames: StoredNames;
}

/** What all the layers of one image share. */
export type SharedByLayers = Pick<RootfsContext, "entries" | "copiedBytes" | "memory">;

/** What a root filesystem is built on. */
interface ContextBasis {
  readonly shared: SharedByLayers;
  readonly overlay?: OverlayVariation;
  readonly handed?: HandedFiles | undefined;
}

/** `memory` is where what is remembered is counted, if not in a budget of its own. */
export function sharedByLayers(limits: Limits, memory: Memory = new MemoryBudget(limits)): SharedByLayers {
  return {
    memory,
    entries: new CountedLimit(limits, "entries", "entries"),
    copiedBytes: new CountedLimit(limits, "totalBytes", "bytes in copies of hard links"),
  };
}

/** Prepares an empty directory to become a root filesystem, or a layer of one. */
export function newContext(
  directory: number,
  settings: RootfsSettings,
  reporter: FindingsReporter,
  { shared, overlay, handed }: ContextBasis,
): RootfsContext {
  const { limits, strict } = settings;
  const findings = new Findings(reporter, strict);
  const fileSystem = prepareRoot(directory);
  tellLosses(fileSystem, settings, findings);
  handed?.begin(fileSystem);
  const { owners, xattrs, metadata } = attributeParts(settings, fileSystem, findings, overlay);
  const implied = impliedAttributes(settings);
  const root = new Directory<OnDisk>(undefined, { layer: 0, attributes: implied, own: new DiskState(0o700) });
  const handles = new Handles(root, directory);
  const directoryAttributes = new DirectoryAttributes({
    handles,
    fileSystem,
    owners,
    xattrs,
    metadata,
    findings,
    implied,
    memory: shared.memory,
  });
  const tree = new DiskTree(root, handles, shared.memory, handed);
  const parents = new Parents<OnDisk>();
  parents.set(byteStringOf(""), root, 0);
  return {
    settings,
    findings,
    fileSystem,
    tree,
    parents,
    paths: new Paths(tree, findings, limits),
    owners,
    xattrs,
    metadata,
    directoryAttributes,
    implied,
    isOverlayLayer: overlay !== undefined,
    handed,
    ...shared,
  };
}

/** Tells what no file will have here as the image states it, once for all. */
function tellLosses({ losesModes, losesOwners }: ProbedPlace, settings: RootfsSettings, findings: Findings): void {
  const root = byteStringOf(".");
  if (losesModes) findings.lost(root, "mode", "this file system keeps no modes: all files have one of its own");
  if (losesOwners && ownerPolicy(settings).owner === "preserve") {
    findings.lost(root, "owner", "this file system keeps no owners: all files have one of its own");
  }
}

/** What gives files their attributes. */
export function attributeParts(
  settings: RootfsSettings,
  fileSystem: FileSystemTraits,
  findings: Findings,
  overlay?: OverlayVariation,
): Pick<RootfsContext, "owners" | "xattrs" | "metadata"> {
  const include = [...settings.xattrInclude, ...(overlay?.xattrInclude ?? [])];
  const rules = new XattrRules(new XattrFilter({ include, exclude: settings.xattrExclude }), findings);
  const owners = new Owners(ownerPolicy(settings), fileSystem, findings);
  const xattrs = new DiskXattrs(rules, findings, new XattrIds(settings), overlay?.xattrNames);
  return { owners, xattrs, metadata: new Metadata(fileSystem, owners, xattrs, findings) };
}

/** What becomes of the owners that an image states, where the caller leaves some of that open. */
export function ownerPolicy({ owner, recordOwners, uidMap, gidMap }: RootfsSettings): OwnerPolicy {
  const isMeant = effectiveUser() === 0 || uidMap !== undefined || gidMap !== undefined;
  return {
    owner: owner ?? (isMeant ? "preserve" : "ignore"),
    areRecorded: recordOwners,
    ...(uidMap !== undefined && { uidMap }),
    ...(gidMap !== undefined && { gidMap }),
  };
}
