import { type ArtifactJob, makeFiles } from "../artifact/artifact-job.ts";
import { checkTree } from "../clone/check-job.ts";
import {
  type CloneJob,
  type CompleteCloneJob,
  cloneParts,
  completeClone,
  type PrepareCloneJob,
  prepareClone,
} from "../clone/clone-job.ts";
import { type RecordTreeJob, recordTree } from "../clone/record-job.ts";
import { type RefreshListJob, refreshList } from "../clone/refresh-job.ts";
import { type ApplyOverlayJob, applyOverlay } from "../overlay/apply-overlay-job.ts";
import { discardStaging } from "../rootfs/discard-job.ts";
import type { CheckTreeJob } from "../store/kept-trees.ts";
import { type ApplyJob, applyLayers, writeMtree } from "../unpack/apply-job.ts";
import type { MtreeJob } from "../unpack/mtree-job.ts";
import type { DiscardJob } from "../worker/messages.ts";
import { serve } from "../worker/serve.ts";

serve<
  | ApplyJob
  | ApplyOverlayJob
  | ArtifactJob
  | MtreeJob
  | RecordTreeJob
  | RefreshListJob
  | PrepareCloneJob
  | CloneJob
  | CompleteCloneJob
  | CheckTreeJob
  | DiscardJob
>("oci-apply", {
  apply: applyLayers,
  "apply-overlay": applyOverlay,
  artifact: makeFiles,
  mtree: writeMtree,
  "record-tree": recordTree,
  "refresh-list": refreshList,
  "prepare-clone": prepareClone,
  clone: cloneParts,
  "complete-clone": completeClone,
  "check-tree": checkTree,
  discard: discardStaging,
});
