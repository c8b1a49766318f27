import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { defaultLimits } from "../../src/base/limits.ts";
import { DigestibleHoles } from "../../src/toc/digested-body.ts";
import { writeToc } from "../../src/toc/toc-writer.ts";
import { inChunks } from "../support/decode.ts";

/** The index of an archive, decompressed. */
export function tocOf(archive: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const options = { limits: defaultLimits, holes: new DigestibleHoles(defaultLimits) };
  writeToc(
    inChunks(archive, () => archive.length),
    { ...options, write: (bytes) => parts.push(bytes) },
  );
  return gunzipSync(Buffer.concat(parts));
}
