import { boolean, check, type Kinds, text } from "../base/option-checks.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import type { ListedEntry } from "../tree/listed-entry.ts";
import type { LookResult } from "./image-reader.ts";
import { type LookOptions, lookKinds, withImageReader } from "./with-image-reader.ts";

export interface ListOptions extends LookOptions {
  /** Lists all that is below a directory, instead of what is in it. Default: false. */
  readonly recursive?: boolean;
  /** Gives each entry of a regular file its SHA-256. The layers' data are digested for it. Default: false. */
  readonly digest?: boolean;
}

const listKinds: Kinds<ListOptions> = { ...lookKinds, recursive: boolean, digest: boolean };

export interface ListResult extends LookResult {
  /** In the order of their names' bytes. */
  readonly entries: readonly ListedEntry[];
}

/**
 * Lists what is in a directory of an image, or of an artifact, all layers merged, without unpacking anything; of anything else that thing
 * itself, also of a symlink, unless a slash follows its name.
 *
 * Layers are read from the newest down, each verified, and no further than the answer needs. The files of an artifact are
 * listed without being fetched, but for those that are in an archive.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function list(name: string, path = "/", options: ListOptions = {}): Promise<ListResult> {
  check("path", path, text);
  const looking = { readsFile: false, path: byteStringOf(path) };
  return await withImageReader(name, options, listKinds, looking, async (reader) => {
    const { entries } = await reader.ask({
      about: "entries",
      path: looking.path,
      isRecursive: options.recursive ?? false,
      hasDigests: options.digest ?? false,
    });
    return { ...reader.finish(), entries };
  });
}
