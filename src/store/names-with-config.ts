import type { Digest } from "../oci/digest.ts";
import { attachmentIn } from "./attachment-names.ts";
import type { BlobStore } from "./blob-store.ts";
import { reachable } from "./stored-documents.ts";
import { knownNames, type StoredName } from "./stored-index.ts";

/**
 * The names under which a store has images with a configuration, for any platform, the last used one first. Of the images
 * no more is read than is needed for the next name: a store may have thousands, and the wanted one is mostly among the
 * last used.
 */
export async function* namesWithConfig(store: BlobStore, config: Digest): AsyncGenerator<string> {
  if ((await store.sizeOf(config)) === undefined) return;
  for (const { name, descriptor } of await lastUsedFirst(store)) {
    if (name === undefined || attachmentIn(name) !== undefined) continue;
    const parts = await reachable(store, descriptor);
    if (parts.some(({ part, digest }) => part === "config" && digest === config)) yield name;
  }
}

async function lastUsedFirst(store: BlobStore): Promise<readonly StoredName[]> {
  const names = await knownNames(store);
  const uses = await Promise.all(names.map(({ descriptor }) => store.lastUse(descriptor.digest)));
  const used = names.map((entry, index) => ({ entry, time: uses[index]?.getTime() ?? 0 }));
  return used.sort((one, other) => other.time - one.time).map(({ entry }) => entry);
}
