import { verifyDiffIDs } from "../worker/digest-job.ts";
import type { DigestJob } from "../worker/messages.ts";
import { serve } from "../worker/serve.ts";

serve<DigestJob>("oci-digest", { digest: verifyDiffIDs });
