import { readFile } from "node:fs/promises";
import { OciUnpackError, retold } from "../base/errors.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type ImageIndex, imageIndexFrom } from "../oci/document.ts";
import { foldedKey, JsonValue } from "../oci/json-value.ts";
import { mediaTypes } from "../oci/media-type.ts";
import type { BlobStore } from "./blob-store.ts";

/** What an index calls its entries (image-spec, annotations.md). */
const nameAnnotation = "org.opencontainers.image.ref.name";

/** An image of the store. */
export interface StoredName {
  /** The canonical name that it was asked for by; other tools may leave images without one. */
  readonly name: string | undefined;
  readonly descriptor: Descriptor;
}

/** An entry as it was read and as it stands in the file, with members that other tools may have given it. */
interface Entry extends StoredName {
  readonly json: unknown;
}

/** The images of the store, in the order of its index. */
export async function readNames(store: BlobStore): Promise<readonly StoredName[]> {
  return (await readEntries(store)).entries;
}

/** Gives a name to what a descriptor describes, and takes it from whatever had it before. */
export function recordName(
  store: BlobStore,
  name: string,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<void> {
  const { mediaType, digest, sizeBytes: size } = descriptor;
  const json = { mediaType, digest, size, annotations: { [nameAnnotation]: name } };
  return change(store, signal, (entries) => {
    const others = entries.filter((entry) => entry.name !== name);
    const isThere = others.length < entries.length && entries.some((entry) => isSame(entry, name, descriptor));
    return isThere ? entries : [...others, { name, descriptor, json }];
  });
}

/** Leaves only those entries that are wanted. */
export function keepNames(
  store: BlobStore,
  isKept: (entry: StoredName) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  return change(store, signal, (entries) => entries.filter(isKept));
}

function isSame(entry: Entry, name: string, { digest, sizeBytes }: Descriptor): boolean {
  return entry.name === name && entry.descriptor.digest === digest && entry.descriptor.sizeBytes === sizeBytes;
}

/** One process at a time reads, changes and replaces the index. */
async function change(
  store: BlobStore,
  signal: AbortSignal | undefined,
  changed: (entries: readonly Entry[]) => readonly Entry[],
): Promise<void> {
  const lock = await store.lock("index.lock", "exclusive", { ...(signal && { signal }) });
  try {
    const { entries, json } = await readEntries(store);
    const next = changed(entries);
    if (next.length === entries.length && next.every((entry, index) => entry === entries[index])) return;
    const index = { ...json, manifests: next.map((entry) => entry.json) };
    await store.replace(store.path("index.json"), Buffer.from(JSON.stringify(index)));
  } finally {
    await lock.close();
  }
}

async function readEntries(store: BlobStore): Promise<{ readonly entries: readonly Entry[]; readonly json: object }> {
  const path = store.path("index.json");
  const bytes = await readFile(path).catch((error: unknown) => {
    if (!isErrno(error, "ENOENT")) throw fileSystemError(error, `read "${path}"`);
    throw new OciUnpackError("NOT_FOUND", `cannot read the store "${store.directory}": its index.json is missing`, {
      hint: startAnew,
    });
  });
  const { value, index } = parsed(bytes, path);
  const written = value.optional("manifests")?.list() ?? [];
  const entries = index.manifests.map((descriptor, position) => {
    return { name: descriptor.annotations?.[nameAnnotation], descriptor, json: written[position]?.json };
  });
  const others = Object.entries(value.json ?? {}).filter(([key]) => foldedKey(key) !== "manifests");
  return { entries, json: Object.fromEntries(others) };
}

const startAnew = "remove the store: what it kept is fetched again";

function parsed(bytes: Uint8Array, path: string): { readonly value: JsonValue; readonly index: ImageIndex } {
  try {
    const value = JsonValue.parse(bytes, `index "${path}"`, "INVALID_MANIFEST");
    return { value, index: imageIndexFrom(value, mediaTypes.ociIndex) };
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error;
    throw retold(error, error.message, { hint: startAnew, cause: error });
  }
}
