import { decompressLayers } from "../worker/decompress-job.ts";
import type { DecompressJob } from "../worker/messages.ts";
import { serve } from "../worker/serve.ts";

serve<DecompressJob>("oci-decompress", { decompress: decompressLayers });
