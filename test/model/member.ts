import type { Timestamp } from "../../src/tar/entry.ts";

/** What an entry says of a file besides what it is. */
export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  readonly xattrs: ReadonlyMap<string, string>;
}

/** One entry of a layer, as the model takes it. All texts are ByteStrings in plain clothes. */
export interface Member extends Attributes {
  readonly type: "file" | "directory" | "symlink" | "hardlink" | "fifo" | "character-device" | "block-device";
  readonly path: string;
  /** Where a link leads; empty for what is none. */
  readonly target: string;
  /** What a file holds; empty for what is none. */
  readonly content: string;
  /** `major:minor`; empty for what is no device. */
  readonly device: string;
}

/** The layers of an image, bottom first. */
export type Stack = readonly (readonly Member[])[];
