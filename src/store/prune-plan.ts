import type { EventListener } from "../base/events.ts";
import type { Digest } from "../oci/digest.ts";
import type { BlobStore } from "./blob-store.ts";
import { diffIDsOf, type ImageWithBlobs, imagesWithBlobs } from "./inventory.ts";
import { LayerStore, layerName, Overlays, type StoredLayer } from "./layer-store.ts";
import { allProducts, type Product, type Unusable, unusableProducts } from "./products.ts";
import { type Candidate, type Retained, retained } from "./retention.ts";
import { knownNames, labelOf, type StoredName } from "./stored-index.ts";

/** What may stay in a store. */
export interface PruneOptions {
  /**
   * How many bytes may stay; what was used last stays. Layers of overlays always stay. Default: everything that is
   * needed.
   */
  readonly maxBytes?: number;
  /** Forgets overlays whose directory is absent at once, and not after 30 days. Default: false. */
  readonly forgetAbsent?: boolean;
  /** Ends the call, which then rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
  /** Gets an event when other processes use the store and it has to wait. */
  readonly onEvent?: EventListener;
}

/** What is to be kept, and the contents of the store for which that was found out. */
export interface Plan {
  readonly names: readonly StoredName[];
  readonly blobs: ReadonlyMap<Digest, number>;
  readonly images: readonly ImageWithBlobs[];
  readonly layers: readonly StoredLayer[];
  readonly products: readonly Product[];
  readonly unusable: readonly Unusable[];
  readonly absentOverlays: readonly string[];
  readonly kept: Retained<PruneItem>;
}

/** What a prune decides about. */
export interface PruneItem extends Candidate {
  readonly subject: ImageWithBlobs | StoredLayer | Product;
  /** The image that an index, an output or a tree was made of: its documents stay with it. */
  readonly madeOf?: ImageWithBlobs;
}

/** Finds out what is to be kept, while others may use the store. */
export async function planned(
  store: BlobStore,
  { maxBytes, forgetAbsent = false, signal }: PruneOptions,
): Promise<Plan> {
  const names = await knownNames(store);
  const blobs = await store.sizes();
  const images = await imagesWithBlobs(store, blobs, signal);
  const layers = await new LayerStore(store).all();
  const overlays = new Overlays(store);
  const absentOverlays = await overlays.lookForAll(forgetAbsent);
  const inUse = await overlays.layers();
  const unusable = await unusableProducts(store, signal);
  const isUnusable = new Set(unusable.map(({ path }) => path));
  const products = (await allProducts(store)).filter(({ path }) => !isUnusable.has(path));
  const ofLayers = layers.map((layer): PruneItem => itemOf(layer, layer.sizeBytes));
  const isPinned = ({ subject }: PruneItem) => "path" in subject && inUse.has(layerName(subject.path));
  const kept = retained(
    [
      ...images.map((image): PruneItem => ({ ...itemOf(image, 0), blobs: image.blobs })),
      ...ofLayers.filter((item) => !isPinned(item)),
      ...(await itemsOf(store, products, images)),
    ],
    ofLayers.filter(isPinned),
    maxBytes ?? Number.POSITIVE_INFINITY,
  );
  return { names, blobs, images, layers, products, unusable, absentOverlays, kept };
}

function itemOf(subject: PruneItem["subject"], ownBytes: number): PruneItem {
  return { subject, lastUsed: subject.lastUsed, blobs: new Map(), ownBytes };
}

/** The products of images that have a name, each with the image that was used last. */
async function itemsOf(
  store: BlobStore,
  products: readonly Product[],
  images: readonly ImageWithBlobs[],
): Promise<readonly PruneItem[]> {
  const hasIndexes = products.some(({ kind }) => kind === "index");
  const origins = new Map<Digest, ImageWithBlobs>();
  for (const image of images.filter(({ name }) => name !== undefined)) {
    const digests = [...image.documents.keys(), ...(hasIndexes ? await diffIDsOf(store, image) : [])];
    for (const digest of digests) if (!origins.has(digest)) origins.set(digest, image);
  }
  return products.flatMap((product): readonly PruneItem[] => {
    const madeOf = origins.get(product.madeOf);
    return madeOf === undefined ? [] : [{ ...itemOf(product, product.sizeBytes), blobs: madeOf.documents, madeOf }];
  });
}

/** Whether nothing has been added to the store since the plan was made. */
export async function isCurrent(store: BlobStore, { names, blobs }: Plan): Promise<boolean> {
  const known = new Set(names.map(labelOf));
  for (const name of await knownNames(store)) if (!known.has(labelOf(name))) return false;
  for (const digest of await store.digests()) if (!blobs.has(digest)) return false;
  return true;
}
