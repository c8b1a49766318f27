import { present } from "../base/present.ts";
import type { Digest } from "../oci/digest.ts";
import type { BlobStore } from "./blob-store.ts";
import { type KeptKind, KeptResults } from "./kept-results.ts";
import { LayerIndexes } from "./layer-indexes.ts";

/** Something that was made of an image and is kept beside its blobs. */
export interface Product {
  readonly kind: "index" | KeptKind;
  /** Of an index the diffID of its layer, of an output or a tree the canonical name of its image. */
  readonly name: string;
  /** What an output is. */
  readonly form?: string;
  /** The diffID of an index's layer, or the digest of the manifest of which an output or a tree was made. */
  readonly madeOf: Digest;
  /** The absolute path of its directory. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly lastUsed: Date;
}

/** All that was made of images and is kept. Bytes are not verified. */
export async function allProducts(store: BlobStore): Promise<readonly Product[]> {
  const results = [...(await new KeptResults(store, "output").all()), ...(await new KeptResults(store, "tree").all())];
  return [
    ...(await new LayerIndexes(store).all()).map(
      ({ diffID, path, sizeBytes, lastUsed }): Product => ({
        kind: "index",
        name: diffID,
        madeOf: diffID,
        path,
        sizeBytes,
        lastUsed,
      }),
    ),
    ...results.map(({ kind, path, record, lastUsed }): Product => {
      const { name, form, digest, sizeBytes } = record;
      return { kind, name, ...present({ form }), madeOf: digest, path, sizeBytes, lastUsed };
    }),
  ];
}

/** Something in the place of a product that is none: it has no record, or was made by another version. */
export type Unusable = Pick<Product, "kind" | "path">;

/** What is in the places of products and cannot be used. Indexes are read for it. */
export async function unusableProducts(store: BlobStore, signal?: AbortSignal): Promise<readonly Unusable[]> {
  const unusable: Unusable[] = [];
  for (const index of await new LayerIndexes(store).all())
    if (!(await index.isIntact(signal))) unusable.push({ kind: "index", path: index.path });
  for (const kind of ["output", "tree"] as const)
    for (const path of await new KeptResults(store, kind).withoutRecord()) unusable.push({ kind, path });
  return unusable;
}
