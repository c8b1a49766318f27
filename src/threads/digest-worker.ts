import { type BlobDigestJob, digestBlobs } from "../worker/blob-digest-job.ts";
import { type DigestJob, digestArchives } from "../worker/digest-job.ts";
import { serve } from "../worker/serve.ts";

serve<DigestJob | BlobDigestJob>("oci-digest", { digest: digestArchives, "digest-blobs": digestBlobs });
