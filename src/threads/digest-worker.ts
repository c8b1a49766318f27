import { type DigestJob, digestArchives } from "../worker/digest-job.ts";
import { serve } from "../worker/serve.ts";

serve<DigestJob>("oci-digest", { digest: digestArchives });
