import { type AheadJob, decodeAhead } from "../worker/ahead-job.ts";
import { serve } from "../worker/serve.ts";

serve<AheadJob>("oci-ahead", { "decode-ahead": decodeAhead });
