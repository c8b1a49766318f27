import { type VerifyJob, verify } from "../verify/verify-job.ts";
import { serve } from "../worker/serve.ts";

serve<VerifyJob>("oci-verify", { verify });
