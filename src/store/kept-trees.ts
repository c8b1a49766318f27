import type { SandboxPolicy } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import { startLibuvPool, Thread } from "../worker/thread.ts";
import { isKeptFileIntact, type KeptFile } from "./kept-files.ts";
import type { KeptRecord } from "./kept-results.ts";

/** Where a line of a list begins, and how many bytes it has. */
export type LineExtent = readonly [start: number, length: number];

/** Where the lines of the list of a tree are, by kind: see `clone/tree-list.ts`. */
export interface ListLayout {
  readonly parts: readonly LineExtent[];
  readonly links: readonly LineExtent[];
  readonly directories: readonly LineExtent[];
}

/** Which extended attributes a list has: names, with `*` at the end for any rest (`XattrFilter`). */
export interface XattrLists {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** What is recorded of a tree: `rootfs` in its directory, with the list of it beside it. */
export interface TreeRecord extends KeptRecord {
  readonly list: {
    readonly file: KeptFile;
    readonly layout: ListLayout;
  };
  readonly xattrs: XattrLists;
  /** The list of all that was unpacked, where one was wanted. */
  readonly mtree?: KeptFile;
}

/** Asks a thread whether a kept tree is as it was. If it is not, it tells a `TreeReport`. */
export interface CheckTreeJob extends Pick<TreeRecord, "xattrs">, Pick<ListLayout, "parts"> {
  readonly type: "check-tree";
  /** Absolute path of the directory with `rootfs` and the list in it. */
  readonly tree: string;
  readonly sandbox: SandboxPolicy;
}

export interface TreeReport {
  readonly type: "tree-changed";
  readonly found: string;
}

/** Whether the list of a kept tree is as it was written. */
export function isListIntact(
  directory: string,
  { list }: Pick<TreeRecord, "list">,
  signal?: AbortSignal,
): Promise<boolean> {
  return isKeptFileIntact(list.file, directory, signal);
}

/** Whether a kept tree is as it was recorded, every byte of it. It is read by a thread that can do nothing else. */
export async function isTreeIntact(directory: string, record: TreeRecord, signal?: AbortSignal): Promise<boolean> {
  if (!(await isListIntact(directory, record, signal))) return false;
  if (record.mtree !== undefined && !(await isKeptFileIntact(record.mtree, directory, signal))) return false;
  await startLibuvPool();
  await using thread = new Thread("apply-worker");
  let isIntact = true;
  const onReport = ({ type }: { readonly type: string }) => {
    if (type === "tree-changed") isIntact = false;
  };
  const { xattrs, list } = record;
  const job = { type: "check-tree", tree: directory, xattrs, parts: list.layout.parts, sandbox: "prefer" } as const;
  await thread.do<CheckTreeJob, TreeReport>(job, present({ onReport, stop: signal }));
  signal?.throwIfAborted();
  return isIntact;
}
