import type { ByteString } from "../tar/byte-string.ts";
import type { EntryType, Timestamp } from "../tar/entry.ts";

/*
 * The list of a kept tree: lines of JSON. A line is a part: a run of steps through the tree, by which a thread goes
 * through the directories and meets what is in them. Parts can be done in any order, side by side: each says in which
 * directory it begins.
 *
 *     { "at": [ { "name": "usr", "mode": 493 } ], "steps": [ { "type": "enter", "name": "bin", … }, { "type": "file", … }, { "type": "leave", … } ] }
 *
 * Other lines are for what can be done only when all parts are done:
 *
 *     { "links": [ … ] }           further names of files
 *     { "directories": [ … ] }     directories that no part completes, children first
 *
 * Names are ByteStrings, so that those that are not UTF-8 survive.
 */

/** A moment: seconds and nanoseconds. */
export type Moment = readonly [number, number];

/** What a file or a directory has. The time of access is that of modification where it is left out. */
export interface ListedAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Moment;
  readonly atime?: Moment;
  /** Names and values, these in base64. */
  readonly xattrs?: readonly (readonly [ByteString, string])[];
}

/** What shows that a file was not changed since the list was made. */
export interface ListedState {
  readonly ctime: Moment;
  /** The mode that it has in the store, where its owner could not read it otherwise. */
  readonly keptMode?: number;
}

export interface ListedFile extends ListedAttributes, ListedState {
  readonly type: "file";
  readonly name: ByteString;
  readonly sizeBytes: number;
  /** What `contentDigest` gives. */
  readonly digest: string;
  /** Whether it has holes. */
  readonly isSparse?: true;
}

export interface ListedSymlink extends ListedAttributes, ListedState {
  readonly type: "symlink";
  readonly name: ByteString;
  readonly target: ByteString;
}

export interface ListedNode extends ListedAttributes, ListedState {
  readonly type: Extract<EntryType, "fifo" | "character-device" | "block-device">;
  readonly name: ByteString;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** What is at a name and is no directory. */
export type Listed = ListedFile | ListedSymlink | ListedNode;

/** A directory by its name, with the mode that it will have. */
export interface ListedName {
  readonly name: ByteString;
  readonly mode: number;
}

export interface EnterStep extends ListedState, ListedName {
  readonly type: "enter";
}

/** The end of a directory, with its attributes if it is complete then. */
export interface LeaveStep {
  readonly type: "leave";
  readonly attributes?: ListedAttributes;
}

export type TreeStep = EnterStep | LeaveStep | Listed;

/** The names of the directories that lead to one, from the root. */
export type Way = readonly ByteString[];

export interface Part {
  /** The directories that lead to where it begins. */
  readonly at: readonly ListedName[];
  readonly steps: readonly TreeStep[];
}

/** A further name of a file. */
export interface ListedLink {
  readonly way: Way;
  readonly name: ByteString;
  readonly originalWay: Way;
  readonly originalName: ByteString;
}

export interface ListedDirectory {
  /** Its own name is the last one. The root has none. */
  readonly way: Way;
  readonly attributes: ListedAttributes;
}

export interface LinksLine {
  readonly links: readonly ListedLink[];
}

export interface DirectoriesLine {
  /** Children first. */
  readonly directories: readonly ListedDirectory[];
}

/** A line of the list. */
export type Line = Part | LinksLine | DirectoriesLine;

export function momentOf({ seconds, nanoseconds }: Timestamp): Moment {
  return [seconds, nanoseconds];
}

export function timestampOf([seconds, nanoseconds]: Moment): Timestamp {
  return { seconds, nanoseconds };
}

export function isAt({ seconds, nanoseconds }: Timestamp, moment: Moment): boolean {
  return seconds === moment[0] && nanoseconds === moment[1];
}
