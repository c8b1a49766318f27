import { type ApplyOverlayJob, applyOverlay } from "../overlay/apply-overlay-job.ts";
import { discardStaging } from "../rootfs/discard-job.ts";
import { type ApplyJob, applyLayers, writeManifest } from "../unpack/apply-job.ts";
import type { ManifestJob } from "../unpack/mtree-job.ts";
import type { DiscardJob } from "../worker/messages.ts";
import { serve } from "../worker/serve.ts";

serve<ApplyJob | ApplyOverlayJob | ManifestJob | DiscardJob>("oci-apply", {
  apply: applyLayers,
  "apply-overlay": applyOverlay,
  manifest: writeManifest,
  discard: discardStaging,
});
