import { readFile } from "node:fs/promises";
import { OciUnpackError, retold } from "../base/errors.ts";
import { ifThere } from "../base/if-there.ts";
import { present } from "../base/present.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type ImageIndex, imageIndexFrom } from "../oci/document.ts";
import { foldedKey, JsonValue } from "../oci/json-value.ts";
import { mediaTypes } from "../oci/media-type.ts";
import { type BlobStore, emptyIndex } from "./blob-store.ts";

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

/**
 * The files that have names. What `index.json` names is there whole, at least for one platform: other tools rely on it,
 * and do not know the other one. `names.json`, of the same form, has what a name was last seen as while that is not
 * there whole: its documents are, from which much can be told.
 */
type NameFile = "index.json" | "names.json";

/** The images in the store's index, in its order: each is there whole. */
export async function readNames(store: BlobStore): Promise<readonly StoredName[]> {
  return (await readEntries(store, "index.json")).entries;
}

/** What names were last seen as of which only a part is there. */
export async function rememberedNames(store: BlobStore): Promise<readonly StoredName[]> {
  return (await readEntries(store, "names.json")).entries;
}

/** All that the store has under a name, what the name was last seen as first. */
export async function knownNames(store: BlobStore): Promise<readonly StoredName[]> {
  const remembered = await rememberedNames(store);
  const isRemembered = new Set(remembered.map(labelOf));
  return [...remembered, ...(await readNames(store)).filter((entry) => !isRemembered.has(labelOf(entry)))];
}

/** Tells apart what has been stored under the same name. */
export function labelOf({ name, descriptor }: StoredName): string {
  return `${name} ${descriptor.digest}`;
}

/** Gives an image that is there whole a name. If another image had that name, it loses its entry. */
export function recordName(
  store: BlobStore,
  name: string,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<void> {
  return locked(store, signal, async () => {
    await change(store, "index.json", withEntry(name, descriptor));
    // Only now: whenever this process ends, one of the files has the name.
    await change(store, "names.json", withoutName(name));
  });
}

/** Remembers what a name was seen as, of which the documents are there, unless the index says so already. */
export function rememberName(
  store: BlobStore,
  name: string,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<void> {
  return locked(store, signal, async () => {
    const isWhole = (await readNames(store)).some((entry) => isSame(entry, name, descriptor));
    await change(store, "names.json", isWhole ? withoutName(name) : withEntry(name, descriptor));
  });
}

/** What of the names is to stay. */
interface KeptNames {
  /** Whether the index keeps an entry. */
  inIndex(entry: StoredName): boolean;
  /** Whether a name that the index has no longer, or never had, is remembered. */
  remembered(entry: StoredName): boolean;
}

/** Removes all entries that are not to be kept. */
export function keepNames(store: BlobStore, isKept: KeptNames, signal?: AbortSignal): Promise<void> {
  return locked(store, signal, async () => {
    const { entries } = await readEntries(store, "index.json");
    const leaving = entries.filter((entry) => !isKept.inIndex(entry) && isKept.remembered(entry));
    await change(store, "names.json", (remembered) => {
      const labels = new Set(remembered.map(labelOf));
      const all = [...remembered, ...leaving.filter((entry) => !labels.has(labelOf(entry)))];
      return all.filter((entry) => isKept.remembered(entry));
    });
    await change(store, "index.json", (named) => named.filter((entry) => isKept.inIndex(entry)));
  });
}

/** A change of the entries of a file. */
type Change = (entries: readonly Entry[]) => readonly Entry[];

function withEntry(name: string, descriptor: Descriptor): Change {
  const { mediaType, digest, sizeBytes: size } = descriptor;
  const json = { mediaType, digest, size, annotations: { [nameAnnotation]: name } };
  return (entries) => {
    const others = entries.filter((entry) => entry.name !== name);
    const isThere = others.length < entries.length && entries.some((entry) => isSame(entry, name, descriptor));
    return isThere ? entries : [...others, { name, descriptor, json }];
  };
}

function withoutName(name: string): Change {
  return (entries) => entries.filter((entry) => entry.name !== name);
}

function isSame(entry: StoredName, name: string, { digest, sizeBytes }: Descriptor): boolean {
  return entry.name === name && entry.descriptor.digest === digest && entry.descriptor.sizeBytes === sizeBytes;
}

/** Changes names under a lock, so that one process at a time does. */
async function locked(store: BlobStore, signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
  const lock = await store.lock("index.lock", "exclusive", present({ signal }));
  try {
    await work();
  } finally {
    await lock.close();
  }
}

async function change(store: BlobStore, file: NameFile, changed: Change): Promise<void> {
  const { entries, json } = await readEntries(store, file);
  const next = changed(entries);
  if (next.length === entries.length && next.every((entry, index) => entry === entries[index])) return;
  const index = { ...json, manifests: next.map((entry) => entry.json) };
  await store.replace(store.path(file), Buffer.from(JSON.stringify(index)));
}

async function readEntries(
  store: BlobStore,
  file: NameFile,
): Promise<{ readonly entries: readonly Entry[]; readonly json: object }> {
  const path = store.path(file);
  const bytes = await ifThere(`read "${path}"`, () => readFile(path));
  if (bytes === undefined) {
    if (file === "names.json") return { entries: [], json: emptyIndex };
    throw new OciUnpackError("NOT_FOUND", `cannot read the store "${store.directory}": its index.json is missing`, {
      hint: hints[file],
    });
  }
  const { value, index } = parsed(bytes, path, hints[file]);
  const written = value.optional("manifests")?.list() ?? [];
  const entries = index.manifests.map((descriptor, position) => {
    return { name: descriptor.annotations?.[nameAnnotation], descriptor, json: written[position]?.json };
  });
  const others = Object.entries(value.json ?? {}).filter(([key]) => foldedKey(key) !== "manifests");
  return { entries, json: Object.fromEntries(others) };
}

const hints: Readonly<Record<NameFile, string>> = {
  "index.json": "remove the store: what it kept is fetched again",
  "names.json": "remove that file: it says only which images are there in part",
};

function parsed(
  bytes: Uint8Array,
  path: string,
  hint: string,
): { readonly value: JsonValue; readonly index: ImageIndex } {
  try {
    const value = JsonValue.parse(bytes, `index "${path}"`, "INVALID_MANIFEST");
    return { value, index: imageIndexFrom(value, mediaTypes.ociIndex) };
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error;
    throw retold(error, error.message, { hint, cause: error });
  }
}
