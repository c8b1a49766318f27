import type { ArtifactJob } from "../artifact/artifact-job.ts";
import { makePlainFiles } from "../artifact/plain-files-job.ts";
import { serve } from "../worker/serve.ts";

serve<ArtifactJob>("oci-files", { artifact: makePlainFiles });
