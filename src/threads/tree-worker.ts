import { type ArchiveJob, type MergeJob, mergeLayers, writeArchive } from "../export/merge-job.ts";
import { type ExtractJob, extract, type LookJob, look } from "../look/look-job.ts";
import { type VerifyJob, verify } from "../verify/verify-job.ts";
import { serve } from "../worker/serve.ts";

serve<MergeJob | ArchiveJob | VerifyJob | LookJob | ExtractJob>("oci-tree", {
  merge: mergeLayers,
  archive: writeArchive,
  verify,
  look,
  extract,
});
