import type { EventListener, FetchOptions } from "../base/events.ts";
import { present } from "../base/present.ts";
import type { Digest } from "../oci/digest.ts";
import type { BlobStore } from "./blob-store.ts";
import { diffIDsOf, type ImageWithBlobs, imagesWithBlobs } from "./inventory.ts";
import { LayerStore, layerName, Overlays, type StoredLayer } from "./layer-store.ts";
import { allProducts, type Product, type Unusable, unusableProducts } from "./products.ts";
import { type Candidate, type Retained, retained } from "./retention.ts";
import { keepNames, knownNames, labelOf, type StoredName } from "./stored-index.ts";
import { bytesAt, Trash } from "./trash.ts";

export interface PruneOptions {
  /**
   * How many bytes may stay; what was used last stays. Layers of overlays always stay. Default: everything that is
   * needed.
   */
  readonly maxBytes?: number;
  /** Forgets overlays whose directory is absent at once, and not after 30 days. Default: false. */
  readonly forgetAbsent?: boolean;
  readonly signal?: AbortSignal;
  /** Gets an event when other processes use the store and it has to wait. */
  readonly onEvent?: EventListener;
}

export interface PruneResult {
  /**
   * The names of the images of which the layers were removed. Where something that was made of one stays, its documents
   * do too.
   */
  readonly removedImages: readonly string[];
  /** How many layers, stored as directories for overlays, were removed. */
  readonly removedLayers: number;
  /** How many indexes of layers were removed. */
  readonly removedIndexes: number;
  /** How many files, and root filesystems, that images became were removed. */
  readonly removedOutputs: number;
  readonly removedTrees: number;
  readonly freedBytes: number;
  readonly keptBytes: number;
  /** Directories of absent overlays, which may be moved or not mounted. Their layers were kept. */
  readonly absentOverlays: readonly string[];
}

/** How often a plan is made, because other processes changed the store meanwhile, before they are kept out. */
const mostLooks = 3;

/**
 * Removes from a store what is not needed. Names are removed first, so that no name ever leads to missing blobs.
 *
 * Other processes have to wait only while names are changed and files are moved to the trash. What to remove is found
 * out before, and the trash is emptied afterwards.
 */
export async function pruneStore(store: BlobStore, options: PruneOptions): Promise<PruneResult> {
  const { signal, onEvent } = options;
  const waiting = present({ signal, onEvent });
  const pruning = await store.lock("prune.lock", "exclusive", waiting);
  try {
    const trash = await Trash.open(store.path("trash"));
    try {
      const { result, leftovers } = await pruned(store, trash, options, waiting);
      let freedBytes = result.freedBytes;
      for (const path of leftovers) freedBytes += await bytesAt(path);
      return { ...result, freedBytes };
    } finally {
      await trash.empty();
    }
  } finally {
    await pruning.close();
  }
}

/** What was done, and what is in the trash of which the size is not known yet. */
interface Pruned {
  readonly result: PruneResult;
  readonly leftovers: readonly string[];
}

async function pruned(store: BlobStore, trash: Trash, options: PruneOptions, waiting: FetchOptions): Promise<Pruned> {
  for (let looks = 1; looks < mostLooks; looks += 1) {
    const plan = await planned(store, options);
    const done = await alone(store, waiting, async () => {
      return (await isCurrent(store, plan)) ? await carryOut(store, plan, trash, options) : undefined;
    });
    if (done !== undefined) return done;
  }
  return await alone(store, waiting, async () => {
    return await carryOut(store, await planned(store, options), trash, options);
  });
}

async function alone<T>(store: BlobStore, waiting: FetchOptions, work: () => Promise<T>): Promise<T> {
  const use = await store.useAlone(waiting);
  try {
    return await work();
  } finally {
    await use.close();
  }
}

/** What is to be kept, and the contents of the store for which that was found out. */
interface Plan {
  readonly names: readonly StoredName[];
  readonly blobs: ReadonlyMap<Digest, number>;
  readonly images: readonly ImageWithBlobs[];
  readonly layers: readonly StoredLayer[];
  readonly products: readonly Product[];
  readonly unusable: readonly Unusable[];
  readonly absentOverlays: readonly string[];
  readonly kept: Retained<Item>;
}

/** What a prune decides about. */
interface Item extends Candidate {
  readonly subject: ImageWithBlobs | StoredLayer | Product;
  /** The image that an index, an output or a tree was made of: its documents stay with it. */
  readonly madeOf?: ImageWithBlobs;
}

async function planned(store: BlobStore, { maxBytes, forgetAbsent = false, signal }: PruneOptions): Promise<Plan> {
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
  const ofLayers = layers.map((layer): Item => itemOf(layer, layer.sizeBytes));
  const isPinned = ({ subject }: Item) => "path" in subject && inUse.has(layerName(subject.path));
  const kept = retained(
    [
      ...images.map((image): Item => ({ ...itemOf(image, 0), blobs: image.blobs })),
      ...ofLayers.filter((item) => !isPinned(item)),
      ...(await itemsOf(store, products, images)),
    ],
    ofLayers.filter(isPinned),
    maxBytes ?? Number.POSITIVE_INFINITY,
  );
  return { names, blobs, images, layers, products, unusable, absentOverlays, kept };
}

function itemOf(subject: Item["subject"], ownBytes: number): Item {
  return { subject, lastUsed: subject.lastUsed, blobs: new Map(), ownBytes };
}

/** The products of images that have a name, each with the image that was used last. */
async function itemsOf(
  store: BlobStore,
  products: readonly Product[],
  images: readonly ImageWithBlobs[],
): Promise<readonly Item[]> {
  const hasIndexes = products.some(({ kind }) => kind === "index");
  const origins = new Map<Digest, ImageWithBlobs>();
  for (const image of images.filter(({ name }) => name !== undefined)) {
    const digests = [...image.documents.keys(), ...(hasIndexes ? await diffIDsOf(store, image) : [])];
    for (const digest of digests) if (!origins.has(digest)) origins.set(digest, image);
  }
  return products.flatMap((product): readonly Item[] => {
    const madeOf = origins.get(product.madeOf);
    return madeOf === undefined ? [] : [{ ...itemOf(product, product.sizeBytes), blobs: madeOf.documents, madeOf }];
  });
}

/** Whether nothing has been added to the store since the plan was made. */
async function isCurrent(store: BlobStore, { names, blobs }: Plan): Promise<boolean> {
  const known = new Set(names.map(labelOf));
  for (const name of await knownNames(store)) if (!known.has(labelOf(name))) return false;
  for (const digest of await store.digests()) if (!blobs.has(digest)) return false;
  return true;
}

async function carryOut(store: BlobStore, plan: Plan, trash: Trash, options: PruneOptions): Promise<Pruned> {
  const { images, kept, absentOverlays } = plan;
  const staying = new Set<Item["subject"]>([...kept.candidates].map(({ subject }) => subject));
  await keepNamesOf(store, plan, staying, options.signal);
  // An overlay may have been added meanwhile.
  const noted = await new Overlays(store).layers();
  const layers = plan.layers.filter((layer) => !staying.has(layer) && !noted.has(layerName(layer.path)));
  const products = plan.products.filter((product) => !staying.has(product));
  for (const { path } of [...layers, ...products]) await trash.take(path);
  const leftovers: string[] = [];
  for (const { path } of plan.unusable) leftovers.push(await trash.take(path));
  const orphans = [...plan.blobs].filter(([digest]) => !kept.blobs.has(digest));
  for (const [digest] of orphans) await trash.take(store.pathOf(digest));
  leftovers.push(await store.clearIngest(trash));
  const gone = [...products, ...plan.unusable];
  const countOf = (kind: Product["kind"]) => gone.filter((each) => each.kind === kind).length;
  const result = {
    removedImages: images.filter((image) => !staying.has(image)).flatMap(({ name }) => name ?? []),
    removedLayers: layers.length,
    removedIndexes: countOf("index"),
    removedOutputs: countOf("output"),
    removedTrees: countOf("tree"),
    freedBytes: sum([...orphans.map(([, bytes]) => bytes), ...[...layers, ...products].map((each) => each.sizeBytes)]),
    keptBytes: kept.bytes,
    absentOverlays,
  };
  return { result, leftovers };
}

/** Keeps the names of what stays. An image of which only something that was made of it stays is remembered by its name. */
async function keepNamesOf(
  store: BlobStore,
  { images, kept }: Plan,
  staying: ReadonlySet<Item["subject"]>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const origins = new Set([...kept.candidates].flatMap(({ madeOf }) => madeOf ?? []));
  const isWhole = new Set<string>();
  const isKnown = new Set<string>();
  for (const image of images.filter((each) => staying.has(each) || origins.has(each))) {
    const label = `${image.name} ${image.digest}`;
    if (staying.has(image)) isWhole.add(label);
    for (const each of image.attachments) isWhole.add(labelOf(each));
    isKnown.add(label);
  }
  await keepNames(
    store,
    {
      inIndex: (entry) => isWhole.has(labelOf(entry)),
      remembered: (entry) => isKnown.has(labelOf(entry)),
    },
    signal,
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
