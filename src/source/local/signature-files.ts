import { Buffer } from "node:buffer";
import { limitExceeded } from "../../base/errors.ts";
import type { Limits } from "../../base/limits.ts";
import type { SignatureFile } from "../../blob/image-source.ts";
import { JsonValue } from "../../oci/json-value.ts";
import { type ImageFiles, readDocument } from "./image-files.ts";

/** What a file with a simple signing begins with; other files have signatures of GPG. */
const header = Buffer.from("\0sigstore-json\n", "latin1");

const payloadType = "application/vnd.dev.cosign.simplesigning.v1+json";
const signatureAnnotation = "dev.cosignproject.cosign/signature";

/**
 * The simple signings in an image's directory, as podman and skopeo write them: `PREFIXsignature-1` and so on. Files of
 * other formats are left out.
 */
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
    const bytes = await readDocument(file, path, { limits, limit: "signatureBytes", signal });
    if (header.equals(bytes.subarray(0, header.length))) found.push(...parsed(bytes.subarray(header.length), path));
  }
}

function parsed(json: Uint8Array, path: string): readonly SignatureFile[] {
  const value = JsonValue.parse(json, `signature "${path}"`, "SIGNATURE_INVALID");
  if (value.required("mimeType").string() !== payloadType) return [];
  const payload = value.required("payload").bytes();
  const signature = value.optional("annotations")?.stringMap()[signatureAnnotation];
  return [{ payload, signature }];
}
