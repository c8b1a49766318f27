import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxPolicy } from "../base/option-words.ts";
import { fileSystemError } from "../base/system-error.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { recordNames } from "../rootfs/owners.ts";
import { keepOpenFile } from "../store/kept-files.ts";
import type { LineExtent, ListLayout, TreeRecord, XattrLists } from "../store/kept-trees.ts";
import type { EngineReport } from "../worker/messages.ts";
import type { Pipeline } from "../worker/pipeline.ts";
import type { RecordReport, RecordTreeJob } from "./record-job.ts";
import type { RefreshListJob } from "./refresh-job.ts";

/** The files of a kept tree: its root filesystem, and the list of it. */
export const rootfsName = "rootfs";
const listName = "entries";

/** Which extended attributes of an image's files are an image's. */
export function listedXattrs({ xattrInclude, xattrExclude, recordOwners }: RootfsSettings): XattrLists {
  return { include: [...xattrInclude, ...(recordOwners ? recordNames : [])], exclude: xattrExclude };
}

interface Listening {
  readonly signal: AbortSignal;
  readonly onReport: (report: EngineReport) => void;
}

/** Writes the list of a tree that was just made beside it. The thread that made it reads it again. */
export async function writeList(
  pipeline: Pipeline,
  directory: string,
  { xattrs, limits }: { readonly xattrs: XattrLists; readonly limits: RootfsSettings["limits"] },
  { signal, onReport }: Listening,
): Promise<Pick<TreeRecord, "list" | "sizeBytes">> {
  let sizeBytes = 0;
  const rootfs = join(directory, rootfsName);
  const list = await written(join(directory, listName), signal, (take) =>
    pipeline.receive<RecordReport>(
      (outlet): RecordTreeJob => ({ type: "record-tree", rootfs, xattrs, limits, outlet }),
      {
        take,
        onReport: (report) => {
          if (report.type === "recorded") ({ sizeBytes } = report);
          else onReport(report);
        },
        signal,
      },
    ),
  );
  return { list, sizeBytes };
}

/** Writes the list of a tree anew, as its files have further names by now, which shows in their times. */
export async function rewriteList(
  pipeline: Pipeline,
  tree: string,
  { list: { layout }, xattrs }: Pick<TreeRecord, "list" | "xattrs">,
  { signal, onReport, sandbox }: Listening & { readonly sandbox: SandboxPolicy },
): Promise<TreeRecord["list"]> {
  const path = join(tree, `${listName}.new`);
  const list = await written(path, signal, (take) =>
    pipeline.receive((outlet): RefreshListJob => ({ type: "refresh-list", tree, layout, xattrs, sandbox, outlet }), {
      take,
      onReport,
      signal,
    }),
  );
  await rename(path, join(tree, listName)).catch((error: unknown) => {
    throw fileSystemError(error, `write to "${tree}"`);
  });
  return list;
}

/** A new file with the list that `run` gives to its function. */
async function written(
  path: string,
  signal: AbortSignal,
  run: (take: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<TreeRecord["list"]> {
  await using file = await open(path, "wx+", 0o600).catch((error: unknown) => {
    throw fileSystemError(error, `write "${path}"`);
  });
  const lines = new Lines();
  await run(async (bytes) => {
    lines.add(bytes);
    await file.writeFile(bytes).catch((error: unknown) => {
      throw fileSystemError(error, `write "${path}"`);
    });
  });
  return { file: await keepOpenFile(file, listName, signal), layout: lines.layout };
}

const newline = 0x0a;
/** The kinds of lines, by their third byte: `{"at"…`, `{"links"…`, `{"directories"…`. */
const kinds: Readonly<Record<number, keyof ListLayout>> = { 97: "parts", 108: "links", 100: "directories" };

/** Finds the lines of a list in the bytes that go by. */
class Lines {
  readonly layout = { parts: [] as LineExtent[], links: [] as LineExtent[], directories: [] as LineExtent[] };
  #position = 0;
  #start = 0;
  #kind: keyof ListLayout | undefined;

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const kindAt = this.#start + 2 - this.#position;
      if (this.#kind === undefined && kindAt < bytes.length) this.#kind = kinds[bytes[kindAt] ?? 0];
      const end = bytes.indexOf(newline, at);
      if (end < 0) break;
      this.#endLine(this.#position + end + 1);
      at = end + 1;
    }
    this.#position += bytes.length;
  }

  #endLine(end: number): void {
    if (this.#kind !== undefined) this.layout[this.#kind].push([this.#start, end - this.#start]);
    this.#start = end;
    this.#kind = undefined;
  }
}
