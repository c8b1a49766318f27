import { OciUnpackError } from "../base/errors.ts";
import { type Digest, hasherFor } from "../oci/digest.ts";

/** What bytes must turn out to be. A Descriptor is one. */
export interface Expected {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/**
 * Passes bytes on and, at the end, insists that they are the expected ones.
 *
 * The size is checked while bytes arrive, so that an endless blob is refused before it fills anything.
 */
export async function* verified(expected: Expected, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hasher = hasherFor(expected.digest);
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > expected.sizeBytes) throw sizeMismatch(expected, `at least ${sizeBytes}`);
    hasher.update(chunk);
    yield chunk;
  }
  if (sizeBytes < expected.sizeBytes) throw sizeMismatch(expected, String(sizeBytes));
  const actual = hasher.digest();
  if (actual !== expected.digest) {
    throw new OciUnpackError(
      "DIGEST_MISMATCH",
      `cannot accept blob ${expected.digest}: its ${sizeBytes} bytes digest to ${actual}`,
      {
        hint: "the blob was altered where it is kept, or on the way: by a disk, a mirror or a proxy",
      },
    );
  }
}

function sizeMismatch(expected: Expected, found: string): OciUnpackError {
  return new OciUnpackError(
    "SIZE_MISMATCH",
    `cannot accept blob ${expected.digest}: ${found} bytes came where its descriptor says ${expected.sizeBytes}`,
  );
}
