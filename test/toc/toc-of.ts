import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { defaultLimits } from "../../src/base/limits.ts";
import { dataDigests } from "../../src/toc/data-digests.ts";
import { DigestibleHoles } from "../../src/toc/digested-body.ts";
import { type TocOptions, writeToc } from "../../src/toc/toc-writer.ts";
import { inChunks } from "../support/decode.ts";

/** The index of an archive, decompressed. */
export function tocOf(archive: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const holes = new DigestibleHoles(defaultLimits);
  const digests: TocOptions["digests"] = (entry, decoder) =>
    entry.sizeBytes === 0 ? {} : dataDigests(entry, decoder, holes);
  const options = { limits: defaultLimits, digests };
  writeToc(
    inChunks(archive, () => archive.length),
    { ...options, write: (bytes) => parts.push(bytes) },
  );
  return gunzipSync(Buffer.concat(parts));
}
