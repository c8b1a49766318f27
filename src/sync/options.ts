import { boolean, type Kinds, texts } from "../base/option-checks.ts";
import type { Digest } from "../oci/digest.ts";
import { type OperationResult, type UnpackOptions, unpackKinds } from "../operation/options.ts";
import type { SyncDifference } from "./differences.ts";

/** Those of `unpack` that say what the files become, and a few of its own. */
export interface SyncOptions extends Omit<UnpackOptions, "add" | "keep" | "clone" | "partial"> {
  /** Compares, and changes nothing: the result has the differences. Default: false. */
  readonly dryRun?: boolean;
  /**
   * What stays as the directory has it, with all that is below it, whether the image has it or not: patterns as in
   * `include`.
   */
  readonly keepPaths?: readonly string[];
  /**
   * Believes that a file whose size and time are those of the image that lies in the directory has its content too,
   * instead of reading it. Which image that is, the configuration in the directory says; the store has to have the
   * indexes of its layers, unless it is the same image. Default: false.
   */
  readonly trustTimes?: boolean;
  /** Takes a directory that has something in it and no `config.json`. Default: false. */
  readonly force?: boolean;
}

const { add: _add, keep: _keep, clone: _clone, partial: _partial, ...kinds } = unpackKinds;

export const syncKinds: Kinds<SyncOptions> = {
  ...kinds,
  dryRun: boolean,
  keepPaths: texts,
  trustTimes: boolean,
  force: boolean,
};

/** What came of making a directory what an image says. */
export interface SyncResult extends OperationResult {
  /** The digest of the manifest of the image that lay there, where that is known. */
  readonly previousDigest?: Digest;
  /** Absolute path of the root filesystem. */
  readonly rootfs: string;
  /** Absolute path of `config.json`. */
  readonly config: string;
  /** Absolute path of the list of all files, where one was wanted. */
  readonly mtree?: string;
  /** How many files and directories came, went, changed and stayed; with `dryRun`, would do so. */
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly unchanged: number;
  /**
   * Whether the image's configuration that lay there was another one, or none; or whether the directory was a bundle and is
   * none, or the other way round. With `dryRun` it lies there still.
   */
  readonly configChanged: boolean;
  /** Bytes of data that were written into files. */
  readonly writtenBytes: number;
  /** Compressed bytes that came over the network. */
  readonly downloadedBytes: number;
  /** How many layers were read, and not their indexes in their stead. */
  readonly readLayers: number;
  /** With `trustTimes`: whether sizes and times could be believed; if not, all data were read. */
  readonly trustedTimes?: boolean;
  /** With `dryRun`: what is different, by path. What the image has is `second`. */
  readonly differences?: readonly SyncDifference[];
}
