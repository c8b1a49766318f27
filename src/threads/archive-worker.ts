import { type IndexJob, indexArchive } from "../source/local/index-archive-job.ts";
import { serve } from "../worker/serve.ts";

serve<IndexJob>("oci-archive", { index: indexArchive });
