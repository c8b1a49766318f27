import { boolean, count, type Kinds, path, text, word } from "../base/option-checks.ts";
import { type ExportForm, exportForms } from "../base/option-words.ts";
import { resolveKinds } from "../image/options.ts";
import { addedFilesKind } from "../operation/added-files.ts";
import { applyKinds, filesKinds, partialKinds, type UnpackOptions, type UnpackResult } from "../operation/options.ts";
import type { GivenOut } from "../store/kept-files.ts";
import type { Verity } from "./verity.ts";

type NotForExport = "bundle" | "mtree" | "clone" | "owner" | "recordOwners" | "uidMap" | "gidMap";

/** Of the options of an unpacking those that mean something where no files are made. Owners are always the image's. */
export interface ExportOptions extends Omit<UnpackOptions, NotForExport> {
  /**
   * An archive, or a file system that can be mounted: read-only ones (erofs, squashfs), or one that can be written to
   * (ext4). Default: "tar".
   */
  readonly form?: ExportForm;
  /** How large an ext4 file system is to be. Default: as large as it must be, and a little more. */
  readonly sizeBytes?: number;
  /**
   * Puts the hash tree behind the file system with which a kernel verifies each block that it reads (dm-verity).
   * Default: false.
   */
  readonly verity?: boolean;
  /** Puts that hash tree into a file of its own, which does not exist yet. */
  readonly verityFile?: string | URL;
  /** Where the programs that make file systems are looked for, as PATH has it. Default: where systems have theirs. */
  readonly toolPath?: string;
}

export const exportKinds: Kinds<ExportOptions> = {
  ...resolveKinds,
  xattrInclude: applyKinds.xattrInclude,
  xattrExclude: applyKinds.xattrExclude,
  devices: applyKinds.devices,
  keepDirlinks: applyKinds.keepDirlinks,
  sourceDateEpoch: applyKinds.sourceDateEpoch,
  include: filesKinds.include,
  exclude: filesKinds.exclude,
  ...partialKinds,
  add: addedFilesKind,
  form: word(...exportForms),
  sizeBytes: count,
  verity: boolean,
  verityFile: path,
  toolPath: text,
  keep: boolean,
};

/** A root filesystem in a file or a stream, and what is in it. */
export interface ExportResult extends Omit<UnpackResult, "rootfs" | "config" | "mtree"> {
  readonly form: ExportForm;
  /** Absolute path of the file; absent where the archive went into a stream. */
  readonly file?: string;
  /** The size of that file, or of what went into the stream. */
  readonly bytes: number;
  /** How the output came out of the store; absent where it was made anew. */
  readonly kept?: GivenOut;
  /** Where a hash tree was made: what verifies the file system. */
  readonly verity?: Verity;
}
