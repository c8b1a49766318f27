import { present } from "../base/present.ts";
import type { Digest } from "../oci/digest.ts";
import type { BlobStore } from "./blob-store.ts";
import { imagesWithBlobs } from "./inventory.ts";
import { LayerStore, layerName } from "./layer-store.ts";
import { allProducts } from "./products.ts";

/** Something that a store keeps. */
export interface StoreEntry {
  /**
   * An image; a layer that is a directory, for overlays; the index of a layer; a file, or a root filesystem, that an
   * image became.
   */
  readonly kind: "image" | "layer" | "index" | "output" | "tree";
  /**
   * Of an image, an output or a tree the canonical name of the image, of an index the diffID of its layer, of a layer
   * where it is. An image from another tool may have none.
   */
  readonly name: string | undefined;
  /** What kind of file an output is. */
  readonly form?: string;
  /** The digest of an image's manifest or index. */
  readonly digest?: Digest;
  /** Of an image the size of all its blobs in the store. Images may share blobs. */
  readonly sizeBytes: number;
  readonly lastUsed: Date;
}

/** Everything that is in a store, what was used last first. */
export async function listStore(store: BlobStore, signal?: AbortSignal): Promise<readonly StoreEntry[]> {
  const images = await imagesWithBlobs(store, await store.sizes(), signal);
  const layers = await new LayerStore(store).all();
  const entries: StoreEntry[] = [
    ...images.map(({ name, digest, sizeBytes, lastUsed }) => {
      return { kind: "image" as const, name, digest, sizeBytes, lastUsed };
    }),
    ...layers.map(({ path, sizeBytes, lastUsed }) => {
      return { kind: "layer" as const, name: layerName(path), sizeBytes, lastUsed };
    }),
    ...(await allProducts(store)).map(({ kind, name, form, sizeBytes, lastUsed }) => {
      return { kind, name, ...present({ form }), sizeBytes, lastUsed };
    }),
  ];
  return entries.sort((one, other) => other.lastUsed.getTime() - one.lastUsed.getTime());
}
