import { readFile } from "node:fs/promises";
import { OciUnpackError, retold } from "../base/errors.ts";
import { present } from "../base/present.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type ImageIndex, imageIndexFrom } from "../oci/document.ts";
import { foldedKey, JsonValue } from "../oci/json-value.ts";
import { mediaTypes } from "../oci/media-type.ts";
import type { BlobStore } from "./blob-store.ts";

/** The annotation for the name of an entry in an index (image-spec, annotations.md). */
const nameAnnotation = "org.opencontainers.image.ref.name";

/** An image in the index of a store. */
export interface StoredName {
  /** Its canonical name. An image from another tool may have none. */
  readonly name: string | undefined;
  readonly descriptor: Descriptor;
}

/** An entry, and its JSON with members that other tools may have added. */
interface Entry extends StoredName {
  readonly json: unknown;
}

/** The images in the store's index, in its order. */
export async function readNames(store: BlobStore): Promise<readonly StoredName[]> {
  return (await readEntries(store)).entries;
}

/** Gives an image a name. If another image had that name, it loses its entry. */
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

/** Removes all entries that are not to be kept. */
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

/** Changes the index under a lock, so that one process at a time does. */
async function change(
  store: BlobStore,
  signal: AbortSignal | undefined,
  changed: (entries: readonly Entry[]) => readonly Entry[],
): Promise<void> {
  const lock = await store.lock("index.lock", "exclusive", present({ signal }));
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
