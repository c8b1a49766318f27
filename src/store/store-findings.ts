import { present } from "../base/present.ts";
import { fileSystemError } from "../base/system-error.ts";
import type { Digest } from "../oci/digest.ts";
import { attachmentIn } from "./attachment-names.ts";
import type { BlobStore } from "./blob-store.ts";
import { isKeptFileIntact, type OutputRecord } from "./kept-files.ts";
import { type KeptRecord, type KeptResult, KeptResults } from "./kept-results.ts";
import { isTreeIntact, type TreeRecord } from "./kept-trees.ts";
import { LayerIndexes } from "./layer-indexes.ts";
import { type ReachableBlob, reachable, storedConfig } from "./stored-documents.ts";
import { readNames } from "./stored-index.ts";

/** What is wrong in a store. Corrupt blobs are never used: they are fetched again, as missing ones are. */
export interface StoreFindings {
  /** How many blobs were read. */
  readonly blobs: number;
  /** Blobs whose bytes do not have the digest in their name. */
  readonly corrupt: readonly Digest[];
  /** Blobs that an image needs and that are not there. A layer of which there is the index is not missing. */
  readonly missing: readonly Digest[];
  /** How many indexes of layers, and files and root filesystems that images became, were read. */
  readonly indexes: number;
  readonly outputs: number;
  readonly trees: number;
  /** What was made of images and is not as it was. It is never used: it is made again when it is needed. */
  readonly damaged: readonly DamagedProduct[];
}

/** Something that was made of an image and is not as it was. What has lost its record has lost its name. */
export interface DamagedProduct {
  readonly kind: "index" | "output" | "tree";
  /** What an output is. */
  readonly form?: string;
  /** The absolute path of its directory. */
  readonly path: string;
  /** Of an index the diffID of its layer, of an output or a tree the canonical name of its image. */
  readonly name?: string;
}

/** Reads all that a store has. Changes nothing. */
export async function verifyStore(store: BlobStore, signal?: AbortSignal): Promise<StoreFindings> {
  const indexes = (await new LayerIndexes(store).all()).filter(({ isOfThisVersion }) => isOfThisVersion);
  const outputs = await new KeptResults<AnyOutput>(store, "output").all();
  const trees = await new KeptResults<AnyTree>(store, "tree").all();
  const damaged: DamagedProduct[] = [];
  const indexed = new Set<Digest>();
  for (const { diffID, path, isIntact } of indexes) {
    if (await isIntact(signal)) indexed.add(diffID);
    else damaged.push({ kind: "index", name: diffID, path });
  }
  for (const each of outputs) if (!(await isRight(each, isIntactOutput, signal))) damaged.push(named(each));
  for (const each of trees) if (!(await isRight(each, isIntactTree, signal))) damaged.push(named(each));
  for (const kind of ["output", "tree"] as const)
    for (const path of await new KeptResults(store, kind).withoutRecord()) damaged.push({ kind, path });
  return {
    ...(await verifyBlobs(store, indexed, signal)),
    indexes: indexes.length,
    outputs: outputs.length,
    trees: trees.length,
    damaged,
  };
}

function named({ kind, path, record }: KeptResult): DamagedProduct {
  return { kind, name: record.name, ...present({ form: record.form }), path };
}

/** What another version of this program has kept may be described otherwise. It is not judged. */
type AnyOutput = KeptRecord & Partial<Pick<OutputRecord, "files">>;
type AnyTree = KeptRecord & Partial<TreeRecord>;

async function isRight<Record extends KeptRecord>(
  { path, record }: KeptResult<Record>,
  isIntact: (directory: string, record: Record, signal?: AbortSignal) => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  signal?.throwIfAborted();
  try {
    return await isIntact(path, record, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw fileSystemError(error, `read "${path}"`);
  }
}

async function isIntactOutput(directory: string, { files = [] }: AnyOutput, signal?: AbortSignal): Promise<boolean> {
  for (const each of files) if (!(await isKeptFileIntact(each, directory, signal))) return false;
  return true;
}

async function isIntactTree(directory: string, record: AnyTree, signal?: AbortSignal): Promise<boolean> {
  const { list, xattrs } = record;
  if (list === undefined || xattrs === undefined) return true;
  return await isTreeIntact(directory, { ...record, list, xattrs }, signal);
}

async function verifyBlobs(
  store: BlobStore,
  indexed: ReadonlySet<Digest>,
  signal?: AbortSignal,
): Promise<Pick<StoreFindings, "blobs" | "corrupt" | "missing">> {
  const corrupt: Digest[] = [];
  const stored = await store.sizes();
  for (const digest of stored.keys()) {
    signal?.throwIfAborted();
    if (!(await store.isIntact(digest, signal))) corrupt.push(digest);
  }
  return { blobs: stored.size, corrupt, missing: await missingBlobs(store, stored, indexed, signal) };
}

/**
 * The blobs that are not there of images of which all should be: those that the index names. A layer need not be there
 * if there is an index of it.
 */
async function missingBlobs(
  store: BlobStore,
  stored: ReadonlyMap<Digest, number>,
  indexed: ReadonlySet<Digest>,
  signal?: AbortSignal,
): Promise<readonly Digest[]> {
  const missing = new Set<Digest>();
  const configs = new Map<Digest, readonly Digest[]>();
  const hasIndex = async ({ config, place }: NonNullable<ReachableBlob["inConfig"]>): Promise<boolean> => {
    const diffIDs = configs.get(config) ?? (await storedConfig(store, config))?.diffIDs ?? [];
    configs.set(config, diffIDs);
    const diffID = diffIDs[place];
    return diffID !== undefined && indexed.has(diffID);
  };
  for (const { name, descriptor } of await readNames(store)) {
    // Of what is stored beside an image only that is there which somebody asked for.
    if (attachmentIn(name) !== undefined) continue;
    for (const { digest, isNeeded, inConfig } of await reachable(store, descriptor, signal)) {
      if (!isNeeded || stored.has(digest) || missing.has(digest)) continue;
      if (inConfig === undefined || !(await hasIndex(inConfig))) missing.add(digest);
    }
  }
  return [...missing];
}
