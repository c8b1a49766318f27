import { isOciUnpackError, OciUnpackError } from "../base/errors.ts";
import { MemoryBudget } from "../base/memory-budget.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import { RingReader, type SharedRing } from "../worker/ring.ts";
import { tell } from "../worker/serve.ts";
import { checkedTable, type ExpectedTable, type ReadTable } from "./check-table.ts";
import { TableRefused } from "./table-refused.ts";

/** The job to check a layer's table of contents and to make the layer's index of it. */
export interface ReadTableJob extends ExpectedTable {
  readonly type: "read-table";
  /** The table, decompressed; of zstd:chunked, then the headers of the archive as tar-split has them. */
  readonly input: SharedRing;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** The reports of that job besides the engine's. */
export type TableReport =
  | ({ readonly type: "table-read" } & ReadTable)
  | { readonly type: "table-refused"; readonly found: string };

/** What tables of all layers may take in memory. */
let memory: MemoryBudget | undefined;

/** Checks a table. The thread is confined so that it can open no file. */
export function readTable(job: ReadTableJob): void {
  tell({ type: "confined", status: confineFromFiles(job.sandbox) });
  const { limits } = job.settings;
  memory ??= new MemoryBudget(limits);
  try {
    tell<TableReport>({ type: "table-read", ...checkedTable(new RingReader(job.input), job, { limits, memory }) });
  } catch (error) {
    if (!(error instanceof TableRefused) && !isOciUnpackError(error)) throw error;
    tell<TableReport>({ type: "table-refused", found: error.message });
    // What is still in the rings is not read: the others have to stop as well.
    throw new OciUnpackError("INVALID_ARCHIVE", error.message);
  }
}
