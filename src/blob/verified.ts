import { OciUnpackError } from "../base/errors.ts";
import { type Digest, type Hasher, hasherFor } from "../oci/digest.ts";

/** The digest and size that bytes must have. A Descriptor is one. */
interface Expected {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/**
 * Passes bytes on and throws at the end unless they have the expected digest and size.
 *
 * The size is also checked while bytes arrive, so that an endless blob is refused before it fills anything.
 */
export async function* verified(expected: Expected, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hasher = hasherFor(expected.digest);
  yield* ofExpectedSize(expected, chunks, hasher);
  insistOnDigest(expected, hasher.digest());
}

/** Takes the bytes of a blob, and tells their digest: at once, or when another thread has come so far. */
export interface BlobHasher {
  update(chunk: Uint8Array): void;
  digest(): Digest | Promise<Digest>;
}

/**
 * Passes bytes on, which `hasher` gets, too, and throws unless there are as many as there should be. What their digest
 * is has still to be looked at: `insistOnDigest`.
 */
export async function* ofExpectedSize(
  expected: Expected,
  chunks: AsyncIterable<Uint8Array>,
  hasher: Pick<BlobHasher, "update">,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > expected.sizeBytes) throw sizeMismatch(expected, `at least ${sizeBytes}`);
    hasher.update(chunk);
    yield chunk;
  }
  if (sizeBytes < expected.sizeBytes) throw sizeMismatch(expected, String(sizeBytes));
}

/** Throws unless the bytes of a blob, which are as many as there should be, have the right digest. */
export function insistOnDigest(expected: Expected, actual: Digest): void {
  if (actual === expected.digest) return;
  const message = `cannot accept blob ${expected.digest}: its ${expected.sizeBytes} bytes digest to ${actual}`;
  throw new OciUnpackError("DIGEST_MISMATCH", message, {
    hint: "the blob was altered where it is kept, or on the way: by a disk, a mirror or a proxy",
    details: { digest: expected.digest },
  });
}

/** All of a short blob, once it is verified. */
export async function wholeVerified(expected: Expected, chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const bytes = new Uint8Array(expected.sizeBytes);
  let sizeBytes = 0;
  for await (const chunk of verified(expected, chunks)) {
    bytes.set(chunk, sizeBytes);
    sizeBytes += chunk.length;
  }
  return bytes;
}

function sizeMismatch(expected: Expected, found: string): OciUnpackError {
  return new OciUnpackError(
    "SIZE_MISMATCH",
    `cannot accept blob ${expected.digest}: ${found} bytes came where its descriptor says ${expected.sizeBytes}`,
    { details: { digest: expected.digest } },
  );
}

/** Throws at the end of a decompressed layer unless it has the diffID that the image's configuration states. */
export class DiffIDVerification {
  readonly #expected: Digest;
  readonly #hasher: Hasher;

  constructor(expected: Digest) {
    this.#expected = expected;
    this.#hasher = hasherFor(expected);
  }

  update(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
  }

  end(): void {
    const actual = this.#hasher.digest();
    if (actual === this.#expected) return;
    const found = `decompressed it digests to ${actual}, its diffID is ${this.#expected}`;
    throw new OciUnpackError("DIFF_ID_MISMATCH", `cannot accept the layer: ${found}`, {
      hint: "what the image's configuration, or the artifact's manifest, says of its layers is wrong: make it anew",
      details: { digest: this.#expected },
    });
  }
}
