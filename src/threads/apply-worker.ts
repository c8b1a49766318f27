import { type ApplyOverlayJob, applyOverlay } from "../overlay/apply-overlay-job.ts";
import { discardStaging } from "../rootfs/discard-job.ts";
import { type ApplyJob, applyLayers, writeMtree } from "../unpack/apply-job.ts";
import type { MtreeJob } from "../unpack/mtree-job.ts";
import type { DiscardJob } from "../worker/messages.ts";
import { serve } from "../worker/serve.ts";

serve<ApplyJob | ApplyOverlayJob | MtreeJob | DiscardJob>("oci-apply", {
  apply: applyLayers,
  "apply-overlay": applyOverlay,
  mtree: writeMtree,
  discard: discardStaging,
});
