import { type DecompressJob, decompressLayers } from "../worker/decompress-job.ts";
import { serve } from "../worker/serve.ts";

serve<DecompressJob>("oci-decompress", { decompress: decompressLayers });
