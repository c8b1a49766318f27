import type { SandboxPolicy } from "../base/option-words.ts";
import { type Digest, type Hasher, hasherFor } from "../oci/digest.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import { RingReader, type SharedRing } from "./ring.ts";
import { tell } from "./serve.ts";

/** A blob whose digest is asked for. */
export interface AskedBlob {
  /** The number of the layer that it is. */
  readonly layer: number;
  /** What its digest should be, which says the algorithm. */
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** What a thread is to do that digests the blobs of layers while another one decompresses them. */
export interface BlobDigestJob {
  readonly type: "digest-blobs";
  /** This thread is the ring's second reader. */
  readonly input: SharedRing;
  /** For each stream of the ring its blob, or `undefined` if nobody asks. */
  readonly blobs: readonly (AskedBlob | undefined)[];
  readonly sandbox: SandboxPolicy;
}

/** The digest of a blob, told as soon as all of its bytes have come: its stream may end long after. */
export type BlobDigestReport = { readonly type: "blob-digest"; readonly layer: number; readonly digest: Digest };

/** Digests the blobs in the ring. Whoever asked compares. This thread is confined so that it can open no file at all. */
export function digestBlobs({ input, blobs, sandbox }: BlobDigestJob): void {
  confineFromFiles(sandbox);
  const ring = new RingReader(input, () => tell({ type: "space" }), 1);
  for (const blob of blobs) {
    const digesting = blob && new Digesting(blob);
    for (let chunk = ring.read(); chunk !== undefined; chunk = ring.read()) digesting?.update(chunk);
  }
}

/** Tells the digest of a blob when all of it has come. */
class Digesting {
  readonly #blob: AskedBlob;
  readonly #hasher: Hasher;
  #restBytes: number;

  constructor(blob: AskedBlob) {
    this.#blob = blob;
    this.#hasher = hasherFor(blob.digest);
    this.#restBytes = blob.sizeBytes;
    this.#tellIfComplete();
  }

  update(chunk: Uint8Array): void {
    this.#hasher.update(chunk);
    this.#restBytes -= chunk.length;
    this.#tellIfComplete();
  }

  #tellIfComplete(): void {
    if (this.#restBytes > 0) return;
    tell<BlobDigestReport>({ type: "blob-digest", layer: this.#blob.layer, digest: this.#hasher.digest() });
  }
}
