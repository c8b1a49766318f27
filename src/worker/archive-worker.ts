import { indexArchive } from "./index-archive.ts";
import { serve } from "./serve.ts";

serve("oci-archive", (job) => {
  if (job.type === "index") indexArchive(job);
});
