import type { Memory } from "../base/memory-budget.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import type { CountedLimit } from "./counted-limits.ts";
import type { Attributes, BackEndTypes, Directory, EntryDestination } from "./directory.ts";
import type { Findings } from "./findings.ts";
import type { Parents } from "./parents.ts";
import type { Paths } from "./paths.ts";
import type { RootfsSettings } from "./settings.ts";
import type { LayerTree } from "./walk.ts";

/**
 * What the rules about layers ask of whatever holds the tree, for one layer: a disk, memory, or a layer of an overlay.
 *
 * A file is here whatever is no directory. A path is the entry's own, for messages.
 */
export interface BackEnd<Types extends BackEndTypes> {
  readonly directories: DirectoryBackEnd<Types>;
  readonly files: FileBackEnd<Types>;
  readonly hardlinks: HardlinkBackEnd<Types>;
  readonly whiteouts: WhiteoutBackEnd<Types>;
  /** Forgets what only this layer needed. */
  end(): void;
}

export interface DirectoryBackEnd<Types extends BackEndTypes> {
  /** Makes a directory, in the stead of whatever is there, with the attributes of one that no entry describes. */
  makeDirectory(destination: EntryDestination<Types>, mode: number): Directory<Types>;
  /** Removes what stands there, if anything does, and all that is below it. */
  remove(destination: EntryDestination<Types>): void;
  /** Removes a directory unless there is something in it, and tells whether it is gone. */
  removeIfEmpty(directory: Directory<Types>, path: ByteString): boolean;
  /** Says of a directory that this layer has it, too. */
  establish(directory: Directory<Types>): void;
  /** Replaces all attributes of a directory by those of an entry. */
  describe(directory: Directory<Types>, entry: Entry): void;
  /** Gives a directory the attributes of one that no entry describes. */
  reset(directory: Directory<Types>): void;
}

/** Makes what entries describe, in the stead of whatever is there. What they say has been checked. */
export interface FileBackEnd<Types extends BackEndTypes> {
  /** A regular file. The entry may be a device's, for which the file stands. */
  file(destination: EntryDestination<Types>, entry: Entry, body: ByteSource): void;
  symlink(destination: EntryDestination<Types>, entry: Entry): void;
  fifo(destination: EntryDestination<Types>, entry: Entry): void;
  device(destination: EntryDestination<Types>, entry: Entry): void;
}

/** What a link's own header says of its file. */
export type LinkHeader = Pick<Entry, "mode" | "uid" | "gid">;

export interface HardlinkBackEnd<Types extends BackEndTypes> {
  /** The file that stands at a name, for a link that is to be made at `destination`. */
  fileAt(
    directory: Directory<Types>,
    name: ByteString,
    destination: EntryDestination<Types>,
  ): Types["original"] | undefined;
  /** Whether a file has the mode and the owner that the link's own header states. */
  isAsStated(original: Types["original"], stated: LinkHeader): boolean;
  /** Gives a file a further name, in the stead of whatever is there. */
  link(destination: EntryDestination<Types>, original: Types["original"]): void;
  /** Makes the file that stands there something that this layer brings: its own whiteouts spare it. */
  claim(destination: EntryDestination<Types>, original: Types["original"]): void;
  /** Makes a directory for pseudo-links, which is no part of the tree. */
  makePseudoLinks(): Directory<Types>;
  /** Removes it with them. Files stay where links to them were made. */
  removePseudoLinks(directory: Directory<Types>): void;
}

export interface WhiteoutBackEnd<Types extends BackEndTypes> {
  /** Whether a file stands at a name, or may do so. */
  isFileAt(parent: Directory<Types>, name: ByteString): boolean;
  /** Whether the file at a name is this layer's. */
  isOwnFile(parent: Directory<Types>, name: ByteString): boolean;
  /** Removes the file of a lower layer at a name. */
  removeFile(parent: Directory<Types>, name: ByteString, path: ByteString): void;
  /** The names of the files in a directory that may be of lower layers. */
  filesIn(directory: Directory<Types>, path: ByteString): Iterable<ByteString>;
  /** Says of a directory that lower layers have nothing in it but what `filesIn` gives. */
  cutOff(directory: Directory<Types>): void;
}

/** What all layers that are applied to a tree share, whatever holds it. */
export interface LayerContext<Types extends BackEndTypes> {
  readonly settings: Pick<RootfsSettings, "devices" | "keepDirlinks" | "limits" | "hasWhiteouts">;
  readonly findings: Findings;
  readonly tree: LayerTree<Directory<Types>>;
  readonly paths: Paths<Directory<Types>>;
  /** Where the parents of recent entries are, if that is remembered. */
  readonly parents?: Parents<Types>;
  /** What a directory has that no layer describes. */
  readonly implied: Attributes;
  /** How many entries may still be applied. */
  readonly entries: CountedLimit;
  /** Where what is remembered is counted. */
  readonly memory: Memory;
}
