import { makeContents } from "../unpack/content-job.ts";
import type { ContentJob } from "../worker/content-threads.ts";
import { serve } from "../worker/serve.ts";

serve<ContentJob>("oci-content", { "make-contents": makeContents });
