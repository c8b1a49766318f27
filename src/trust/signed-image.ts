import type { Digest } from "../oci/digest.ts";

/** What an image's name stands for: its index, if there is one, and the manifest that was chosen. */
export interface SignedImage {
  readonly reference: string;
  /** The manifest; of a copy of all platforms, the index. */
  readonly digest: Digest;
  readonly indexDigest?: Digest;
}

/** A manifest or index that can be signed. */
export type SignedSubject = readonly ["index" | "manifest", Digest];

/** What of an image can be signed. The index first: its signature covers the manifests that it lists (V25). */
export function subjectsOf({ digest, indexDigest }: SignedImage): readonly SignedSubject[] {
  const manifest = ["manifest", digest] as const;
  if (indexDigest === undefined) return [manifest];
  return indexDigest === digest ? [["index", digest]] : [["index", indexDigest], manifest];
}
