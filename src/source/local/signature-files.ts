import { limitExceeded } from "../../base/errors.ts";
import type { Limits } from "../../base/limits.ts";
import type { SignatureFile } from "../../blob/image-source.ts";
import { type ImageFiles, readDocument } from "./image-files.ts";

/** The files with signatures in an image's directory, as podman and skopeo name them: `PREFIXsignature-1` and so on. */
export async function readSignatureFiles(
  files: ImageFiles,
  prefix: string,
  limits: Limits,
  signal: AbortSignal | undefined,
): Promise<readonly SignatureFile[]> {
  const found: SignatureFile[] = [];
  for (let number = 1; ; number += 1) {
    const path = `${prefix}signature-${number}`;
    const file = await files.open(path);
    if (file === undefined) return found;
    if (number > limits.signatures) {
      const message = `cannot look for signatures in "${files.name}": there are more than ${limits.signatures}`;
      throw limitExceeded(message, "signatures", { allowed: limits.signatures });
    }
    found.push({ name: path, bytes: await readDocument(file, path, { limits, limit: "signatureBytes", signal }) });
  }
}
