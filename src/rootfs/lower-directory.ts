import type { Stat } from "../linux/stat.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { XattrValues } from "./disk-xattrs.ts";

/**
 * A directory of the layers below, where they lie in directories of their own and an overlay will show all as one.
 *
 * What is asked here is what such an overlay would answer if it ended with those layers.
 */
export interface LowerDirectory {
  /** With the owner that the image states, which may be another on this machine. */
  readonly stat: Stat;
  readonly xattrs: XattrValues;
  /** What it takes in memory. */
  readonly bytes: number;
  /** What stands at a name. */
  find(name: ByteString): LowerNode | undefined;
  /** All names in it. */
  names(): Iterable<ByteString>;
}

/** A directory, or anything else, which then stands at that name in the directory that `handle` is open for. */
export type LowerNode =
  | { readonly directory: LowerDirectory }
  | { readonly directory?: never; readonly handle: number; readonly stat: Stat };
