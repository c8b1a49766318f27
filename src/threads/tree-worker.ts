import { type CompareJob, compareTrees, type MergeForDiffJob, mergeForDiff } from "../diff/diff-job.ts";
import {
  type ArchiveJob,
  type ContentsJob,
  type MergeJob,
  mergeLayers,
  readContents,
  writeArchive,
} from "../export/merge-job.ts";
import { type HistoryJob, tellHistory } from "../history/history-job.ts";
import { type ExtractJob, type ExtractRangeJob, extract, extractRange, type LookJob, look } from "../look/look-job.ts";
import { type ReadChunksJob, readChunks } from "../table/chunks-job.ts";
import { type ReadTableJob, readTable } from "../table/table-job.ts";
import { serve } from "../worker/serve.ts";

serve<
  | HistoryJob
  | MergeJob
  | ContentsJob
  | ArchiveJob
  | LookJob
  | ExtractJob
  | ExtractRangeJob
  | MergeForDiffJob
  | CompareJob
  | ReadTableJob
  | ReadChunksJob
>("oci-tree", {
  merge: mergeLayers,
  contents: readContents,
  archive: writeArchive,
  history: tellHistory,
  look,
  extract,
  "extract-range": extractRange,
  "merge-for-diff": mergeForDiff,
  compare: compareTrees,
  "read-table": readTable,
  "read-chunks": readChunks,
});
