import { availableParallelism } from "node:os";
import type { SandboxStatus, SkipReason, VerifiedBy, WarningCode } from "../base/events.ts";
import {
  boolean,
  count,
  either,
  invalidOption,
  type Kinds,
  path,
  settleLimits,
  shape,
  shapes,
  texts,
  word,
} from "../base/option-checks.ts";
import { type CloneMode, cloneModes, devicePolicies, ownerChoices, type SandboxPolicy } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import type { Rootless } from "../bundle/user.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import { type ApplyOptions, applySettings, type IdMapping, type RootfsSettings } from "../layer/settings.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import type { GivenOut } from "../store/kept-files.ts";
import { defaultSandbox } from "../system/sandbox.ts";
import type { SelectionPatterns } from "../tree/selection.ts";
import type { VerifiedSignature } from "../trust/options.ts";
import { type AddedFile, addedFilesKind, addedPath } from "./added-files.ts";

/** Whether parts of layers are enough. */
export interface PartialOptions {
  /**
   * Reads of a layer that has a table of contents (zstd:chunked, eStargz) that table and then only what is needed, where
   * that is less than the layer. The table is its author's word about the layer: it is verified, and so is each file by
   * it, but not that a full unpacking would find the same. Not with `strict`. Default: false.
   */
  readonly partial?: boolean;
}

export interface UnpackOptions extends ResolveOptions, ApplyOptions, PartialOptions {
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
   * Files of this machine that come on top of the image, by the rules for a last layer. With `include` they are wanted too;
   * `exclude` holds for them as for the image. Their times are `sourceDateEpoch`, or 1970.
   */
  readonly add?: readonly AddedFile[];
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
  /**
   * Keeps what the image becomes in the store behind `source`, under all that decides it, and gives that out where it is
   * there already. Default: false.
   */
  readonly keep?: boolean;
  /**
   * How `unpack` makes a root filesystem of one that is kept: of files that share their blocks with those in the store,
   * of copies, or, for trees that nobody writes to, of further names of the same files. Implies `keep`. Default: "auto",
   * which shares blocks where the file system can and copies otherwise.
   */
  readonly clone?: CloneMode;
}

/** How a root filesystem was given out: as `GivenOut`, or as files that are those in the store. */
export type ClonedAs = GivenOut | "hardlink";

/** An entry of a layer that was left out, and why. */
export interface SkippedEntry {
  readonly layer: number;
  /** From the root. Of one that is longer than 4,096 bytes (PATH_MAX) the beginning, with `…`; so is `detail`. */
  readonly path: string;
  readonly reason: SkipReason;
  readonly detail: string;
}

/** A layer of which something was read, and by what that was verified. */
export interface VerifiedLayer {
  /** From 0 at the bottom. */
  readonly layer: number;
  /** The digest of its blob. */
  readonly digest: Digest;
  /**
   * "layer": digest and diffID of the whole layer, now or when its index was made; "table": its table of contents by the
   * digest in the manifest, and what was read of the layer by the digests in the table.
   */
  readonly verified: VerifiedBy;
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
  /** With `partial`: the layers of which anything was read, bottom first. */
  readonly verifiedLayers?: readonly VerifiedLayer[];
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
  /** How it was given out, where it was kept in the store already; absent where it was made of the image's layers. */
  readonly kept?: ClonedAs;
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

const idMap = shapes<IdMapping>({ containerID: count, hostID: count, size: count }, ["containerID", "hostID", "size"]);

export const applyKinds: Kinds<ApplyOptions> = {
  owner: word(...ownerChoices),
  recordOwners: boolean,
  uidMap: idMap,
  gidMap: idMap,
  xattrInclude: texts,
  xattrExclude: texts,
  devices: word(...devicePolicies),
  keepDirlinks: boolean,
  sourceDateEpoch: count,
};

/** Of an unpacking, those that say what its files become. */
export const partialKinds: Kinds<PartialOptions> = { partial: boolean };

export const filesKinds: Kinds<Omit<UnpackOptions, "add" | "bundle" | "mtree" | "keep" | "clone" | "partial">> = {
  ...resolveKinds,
  ...applyKinds,
  include: texts,
  exclude: texts,
};

export const unpackKinds: Kinds<UnpackOptions> = {
  ...filesKinds,
  ...partialKinds,
  add: addedFilesKind,
  bundle: either(boolean, shape<Rootless>({ uid: count, gid: count }, ["uid", "gid"])),
  mtree: path,
  keep: boolean,
  clone: word(...cloneModes),
};

/** The options of an unpacking, checked and with every default settled. */
export interface UnpackSettings {
  readonly sandbox: SandboxPolicy;
  /** For how many processors the work is divided. */
  readonly processors: number;
  /** Whether the caller says so: then small images are divided, too. */
  readonly isDivisionStated: boolean;
  readonly apply: RootfsSettings;
  /** Which part of the image is wanted. */
  readonly selection: SelectionPatterns;
  /** Whether tables of contents may stand for layers. */
  readonly isPartial: boolean;
}

/**
 * Settles what a caller passed, of the right kinds by now, and checks what more it has to be. Throws `INVALID_OPTION`.
 */
export function settle(options: UnpackOptions): UnpackSettings {
  const { sandbox = defaultSandbox, include, exclude, add = [], uidMap, gidMap, partial = false } = options;
  if (partial && options.strict === true)
    throw invalidOption("partial", "what is strict takes no table's word for a layer", "leave one of them out");
  checkIdMap("uidMap", uidMap);
  checkIdMap("gidMap", gidMap);
  return {
    sandbox,
    processors: options.threads ?? availableParallelism(),
    isDivisionStated: options.threads !== undefined,
    apply: applySettings({ ...options, limits: settleLimits(options.limits) }),
    isPartial: partial,
    selection: present({
      include: checkedPatterns("include", include),
      exclude: checkedPatterns("exclude", exclude),
      added: include && add.map(({ target }) => addedPath(target)),
    }),
  };
}

/** Insists that patterns for paths mean something. Throws `INVALID_OPTION`. */
export function checkedPatterns(option: string, texts: readonly string[] | undefined): readonly string[] | undefined {
  for (const text of texts ?? []) {
    if (/^[/.]*$/.test(text)) throw invalidOption(option, `"${text}" names nothing`, patternHint);
    const fault = patternFault(text);
    if (fault !== undefined) throw invalidOption(option, `"${text}" ${fault}`, patternHint);
  }
  return texts;
}

const patternHint = "patterns are paths from the root, as in etc, usr/*/bin or **/*.pem";

/** What makes a pattern one that nothing can match, or that means something else than whoever wrote it thinks. */
function patternFault(text: string): string | undefined {
  if (text.split("/").includes("..")) return "leads upwards with .., and patterns are paths from the root";
  // Linear: nothing else is repeated than what is in one pair of brackets.
  const withoutSets = text.replaceAll(/\[[!^]?\]?[^\]]*\]/g, "");
  if (withoutSets.includes("[")) return "has a [ that no ] closes; a [ itself is [[]";
  const hasAlternatives = /\{[^{}]*,[^{}]*\}/.test(withoutSets);
  return hasAlternatives ? "has alternatives in braces: give the option for each; a { itself is [{]" : undefined;
}

const idCount = 2 ** 32 - 1;

function checkIdMap(option: string, map: readonly IdMapping[] = []): void {
  for (const { containerID, hostID, size } of map) {
    if (size === 0) throw invalidOption(option, "a range of 0 ids maps nobody");
    for (const id of [containerID, hostID]) {
      if (id + size <= idCount) continue;
      throw invalidOption(option, `${size} ids from ${id} on are more than there are`);
    }
  }
}
