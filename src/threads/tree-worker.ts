import {
  type ArchiveJob,
  type ContentsJob,
  type MergeJob,
  mergeLayers,
  readContents,
  writeArchive,
} from "../export/merge-job.ts";
import { type ExtractJob, extract, type LookJob, look } from "../look/look-job.ts";
import { type VerifyJob, verify } from "../verify/verify-job.ts";
import { serve } from "../worker/serve.ts";

serve<MergeJob | ContentsJob | ArchiveJob | VerifyJob | LookJob | ExtractJob>("oci-tree", {
  merge: mergeLayers,
  contents: readContents,
  archive: writeArchive,
  verify,
  look,
  extract,
});
