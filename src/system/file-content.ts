import type { Segment } from "../tar/entry.ts";
import { fromLinux, Lack } from "./lack.ts";

/** What the system knows of the content of open files, and does with it, besides what Node does. */
export interface ContentCalls {
  /** Makes an empty file share all blocks of another. Returns whether it does now. */
  readonly isShared: (to: number, from: number) => boolean;
  /** The parts of a file that have data; `undefined` where nobody knows of holes. */
  readonly dataSegments: (file: number, sizeBytes: number) => readonly Segment[] | undefined;
}

/** Loads it. It is loaded where something is kept or given out. */
export async function contentCalls(): Promise<ContentCalls> {
  const linux = await fromLinux(() => import("../linux/content.ts"));
  if (linux instanceof Lack) return { isShared: () => false, dataSegments: () => undefined };
  return {
    isShared: (to, from) => linux.shareContent(to, from) >= 0,
    dataSegments(file, sizeBytes) {
      const segments = linux.dataSegments(file, sizeBytes);
      return typeof segments === "number" ? undefined : segments;
    },
  };
}
