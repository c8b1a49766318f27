import { isOciUnpackError, OciUnpackError } from "../base/errors.ts";
import { defaultLimits } from "../base/limits.ts";
import { check, pathOf, store as storeKind } from "../base/option-checks.ts";
import { resolveImage } from "../image/resolve.ts";
import { parseConfig } from "../oci/config.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import { sourceFor } from "../source/default-source.ts";
import type { Store } from "../store/store.ts";
import { storedSource } from "../store/stored-source.ts";
import { recordedConfig } from "./recorded-config.ts";

/**
 * The name under which a store has the image that was unpacked into a directory. It is found by the configuration in
 * the directory. Used offline, the name leads to that image.
 *
 * @throws OciUnpackError with `NOT_FOUND` if the store has no such image.
 */
export async function storedNameFor(unpacked: string | URL, store: Store): Promise<string> {
  const directory = pathOf("directory", unpacked);
  check("store", store, storeKind);
  const recorded = await recordedConfig(directory, defaultLimits);
  const wanted = digestOf(recorded);
  const { platform } = parseConfig(recorded);
  for (const { name } of await store.list()) {
    if (name !== undefined && (await storedConfig(name, store, platform)) === wanted) return name;
  }
  throw new OciUnpackError(
    "NOT_FOUND",
    `cannot verify "${directory}": no image in the store "${store.directory}" has the configuration ${wanted}`,
    { hint: "name the image too" },
  );
}

/** The digest of an image's configuration; `undefined` if the store has no such image for the platform. */
async function storedConfig(name: string, store: Store, platform: Platform): Promise<Digest | undefined> {
  await using source = storedSource(sourceFor(name), store, { offline: true });
  try {
    const { manifest } = await resolveImage(source.image(name), { platform });
    return manifest.config.digest;
  } catch (error) {
    if (isOciUnpackError(error)) return undefined;
    throw error;
  }
}
