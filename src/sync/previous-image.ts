import { isOciUnpackError } from "../base/errors.ts";
import { parseConfig } from "../oci/config.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { AcceptedImage } from "../operation/operation.ts";
import { store } from "../store/store.ts";
import type { StoreUse } from "../store/store-use.ts";
import { storedImageWith } from "../verify/recorded-config.ts";

/** Finds out which image a configuration is of that lies in a directory. */
export class PreviousImage {
  readonly #config: Uint8Array | undefined;
  readonly #store: StoreUse | undefined;
  readonly #named: Digest | undefined;

  private constructor(config: Uint8Array | undefined, use: StoreUse | undefined, named: Digest | undefined) {
    this.#config = config;
    this.#store = use;
    this.#named = named;
  }

  /** To be called before the image `name` is resolved: then a store has another one under that name. */
  static async find(config: Uint8Array | undefined, use: StoreUse | undefined, name: string): Promise<PreviousImage> {
    return new PreviousImage(config, use, await storedDigest(config, use, [name]));
  }

  /** Whether it is the image that is wanted now. */
  is({ image }: AcceptedImage): boolean {
    return this.#config !== undefined && digestOf(this.#config) === image.manifest.config.digest;
  }

  /** Whether it has other layers than the image that is wanted now: then files are different, too. */
  hasOtherLayers({ layers }: AcceptedImage): boolean {
    const diffIDs = this.#config === undefined ? undefined : diffIDsOf(this.#config);
    if (diffIDs === undefined) return false;
    return diffIDs.length !== layers.length || layers.some(({ diffID }, index) => diffID !== diffIDs[index]);
  }

  /** The digest of its manifest, where that is known. */
  async digest(accepted: AcceptedImage): Promise<Digest | undefined> {
    if (this.is(accepted)) return accepted.image.digest;
    return this.#named ?? (await storedDigest(this.#config, this.#store));
  }
}

/** The diffIDs of a configuration; nothing where it is no image's. */
export function diffIDsOf(config: Uint8Array): readonly Digest[] | undefined {
  try {
    return parseConfig(config).diffIDs;
  } catch {
    return undefined;
  }
}

async function storedDigest(
  config: Uint8Array | undefined,
  use: StoreUse | undefined,
  names?: readonly string[],
): Promise<Digest | undefined> {
  if (config === undefined || use === undefined) return undefined;
  try {
    const { directory } = await use.open();
    return (await storedImageWith(config, store(directory), names))?.digest;
  } catch (error) {
    if (isOciUnpackError(error)) return undefined; // it is no image's, or the store has none of it
    throw error;
  }
}
