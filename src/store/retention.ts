import type { Digest } from "../oci/digest.ts";

/** Something that may stay in a store, and what its staying costs. */
export interface Candidate {
  readonly lastUsed: Date;
  /** The sizes of the blobs that it needs, which others may need too. */
  readonly blobs: ReadonlyMap<Digest, number>;
  /** The size of what is nobody else's. */
  readonly ownBytes: number;
}

/** What stays. */
export interface Retained<T extends Candidate> {
  readonly candidates: ReadonlySet<T>;
  /** The blobs that are needed for them. */
  readonly blobs: ReadonlyMap<Digest, number>;
  readonly bytes: number;
}

/**
 * What was used last, as much as fits, whatever its kind. A blob counts once, however many need it. What is in `pinned`
 * stays in any case.
 */
export function retained<T extends Candidate>(
  candidates: readonly T[],
  pinned: readonly T[],
  maxBytes: number,
): Retained<T> {
  const staying = new Set(pinned);
  const blobs = new Map<Digest, number>();
  let bytes = pinned.reduce((total, { ownBytes }) => total + ownBytes, 0);
  for (const candidate of [...candidates].sort(lastUsedFirst)) {
    const added = [...candidate.blobs].filter(([digest]) => !blobs.has(digest));
    const addedBytes = added.reduce((total, [, sizeBytes]) => total + sizeBytes, candidate.ownBytes);
    if (bytes + addedBytes > maxBytes) continue; // something that was used earlier may still fit
    bytes += addedBytes;
    staying.add(candidate);
    for (const [digest, sizeBytes] of added) blobs.set(digest, sizeBytes);
  }
  return { candidates: staying, blobs, bytes };
}

function lastUsedFirst(one: Candidate, other: Candidate): number {
  return other.lastUsed.getTime() - one.lastUsed.getTime();
}
