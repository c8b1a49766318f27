import type { Digest } from "../oci/digest.ts";

/** What an image's name stands for: its index, if there is one, and the manifest that was chosen. */
export interface SignedImage {
  readonly reference: string;
  /** The manifest; of a copy of all platforms, the index. */
  readonly digest: Digest;
  readonly indexDigest?: Digest;
  /** The manifests of a copy of all platforms; else it is the one. */
  readonly instances?: readonly Digest[];
}

/** A manifest or index that can be signed. */
export type SignedSubject = readonly ["index" | "manifest", Digest];

/** What a signature can be of, the first of them as whoever asked for the image named it. */
export type Subjects = readonly [SignedSubject, ...SignedSubject[]];

/** What of an image can be signed. The index first: its signature covers the manifests that it lists (V25). */
export function subjectsOf({ digest, indexDigest }: SignedImage): Subjects {
  const manifest = ["manifest", digest] as const;
  if (indexDigest === undefined) return [manifest];
  return indexDigest === digest ? [["index", digest]] : [["index", indexDigest], manifest];
}

/** What of an image has to be signed, all of it, where an index covers nothing (V25). */
export function instancesOf({ digest, instances = [digest] }: SignedImage): readonly SignedSubject[] {
  return instances.map((each) => ["manifest", each]);
}
