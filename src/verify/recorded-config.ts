import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isOciUnpackError, limitExceeded, OciUnpackError } from "../base/errors.ts";
import { ifThere, lstatIfThere } from "../base/if-there.ts";
import { defaultLimits, type Limits } from "../base/limits.ts";
import { check, pathOf, store as storeKind } from "../base/option-checks.ts";
import { type Image, resolveImage } from "../image/resolve.ts";
import { parseConfig } from "../oci/config.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import { sourceFor } from "../source/default-source.ts";
import { BlobStore } from "../store/blob-store.ts";
import { namesWithConfig } from "../store/names-with-config.ts";
import { insistOnStore, type Store } from "../store/store.ts";
import { storedSource } from "../store/stored-source.ts";

/** In a bundle, `config.json` is the container's configuration, and `image-config.json` the image's. */
const names = ["image-config.json", "config.json"];

/**
 * The image's configuration from a directory that an image was unpacked into, byte for byte. Its digest says which
 * image it was. Throws `NOT_FOUND` if there is none.
 */
export async function recordedConfig(directory: string, { configBytes }: Limits): Promise<Uint8Array> {
  for (const name of names) {
    const config = await readIfThere(join(directory, name), configBytes);
    if (config !== undefined) return config;
  }
  const found = (await lstatIfThere(directory)) === undefined ? "there is no such directory" : "it has no config.json";
  throw new OciUnpackError("NOT_FOUND", `cannot verify "${directory}": ${found}`, {
    hint: "name the directory that an image was unpacked into",
  });
}

/**
 * The path of the root filesystem in a directory that an image was unpacked into; of an overlay, its mount point.
 * Throws `NOT_FOUND` if there is none. A symlink is not followed.
 */
export async function rootfsIn(directory: string): Promise<string> {
  const path = resolve(directory);
  const rootfs = join(path, "rootfs");
  const [stat, around, layers] = await Promise.all([rootfs, path, join(path, "layers")].map(lstatIfThere));
  const isOverlay = layers?.isDirectory() === true;
  if (isOverlay && (stat === undefined || stat.dev === around?.dev)) {
    throw new OciUnpackError("NOT_FOUND", `cannot verify "${directory}": it is an overlay, and not mounted`, {
      hint: `mount it first, at its place: sh ${join(path, "mount.sh")}`,
    });
  }
  if (stat?.isDirectory() === true) return rootfs;
  throw new OciUnpackError("NOT_FOUND", `cannot verify "${directory}": it has no directory rootfs`, {
    hint: "name the directory that an image was unpacked into",
  });
}

function readIfThere(path: string, limit: number): Promise<Uint8Array | undefined> {
  return ifThere(`read "${path}"`, async () => {
    // In case it is a fifo, which would block.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await readWhole(file, path, limit);
  });
}

async function readWhole(file: FileHandle, path: string, limit: number): Promise<Uint8Array> {
  const stat = await file.stat();
  if (!stat.isFile()) throw new OciUnpackError("FILE_SYSTEM", `cannot read "${path}": it is no file`);
  const { size } = stat;
  if (size <= limit) return await file.readFile();
  const message = `cannot read "${path}": it has ${size} bytes, ${limit} are allowed (configBytes)`;
  throw limitExceeded(message, "configBytes", { allowed: limit });
}

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
  await insistOnStore(new BlobStore(store.directory));
  const found = await storedImageWith(recorded, store);
  if (found !== undefined) return found.name;
  throw new OciUnpackError(
    "NOT_FOUND",
    `cannot verify "${directory}": no image in the store "${store.directory}" has the configuration ${wanted}`,
    { hint: "name the image too" },
  );
}

/** An image that a store has. */
interface StoredImageName {
  readonly name: string;
  /** The digest of its manifest. */
  readonly digest: Digest;
}

/**
 * The image of a configuration in a store; `undefined` where there is none. Of those that have it the first one by these
 * names, if any are given, and else by the names that the store has.
 */
export async function storedImageWith(
  config: Uint8Array,
  store: Store,
  names?: readonly string[],
): Promise<StoredImageName | undefined> {
  const wanted = digestOf(config);
  const { platform } = parseConfig(config);
  for await (const name of names ?? namesWithConfig(new BlobStore(store.directory), wanted)) {
    const found = await storedImage(name, store, platform);
    if (found?.manifest.config.digest === wanted) return { name, digest: found.digest };
  }
  return undefined;
}

/** An image's documents; `undefined` if the store has no such image for the platform. */
async function storedImage(name: string, store: Store, platform: Platform): Promise<Image | undefined> {
  await using source = storedSource(sourceFor(name), store, { offline: true });
  try {
    return await resolveImage(source.image(name), { platform });
  } catch (error) {
    if (isOciUnpackError(error)) return undefined;
    throw error;
  }
}
