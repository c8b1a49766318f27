import { unlessAborted } from "../base/abort.ts";
import { handedOver } from "../base/hand-over.ts";
import { check, checkOptions, text } from "../base/option-checks.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import type { ListedEntry } from "../tree/listed-entry.ts";
import type { LookResult } from "./image-reader.ts";
import { type LookOptions, lookKinds, withImageReader } from "./with-image-reader.ts";

export interface ReadResult extends LookResult {
  /** The file that was read, where it really is. */
  readonly entry: ListedEntry;
}

/** A file of an image whose bytes can be iterated, once. Reading begins with the iteration, and ends with it. */
export interface FileReading extends AsyncIterable<Uint8Array> {
  /** Fulfilled when all bytes were taken; rejected with the error that the iteration throws. */
  readonly result: Promise<ReadResult>;
}

/**
 * Reads one file of an image, or of an artifact, without unpacking anything. Symlinks are followed, inside the image.
 *
 * Layers are read from the newest down, and no further than it takes to know which file is meant. Its layer was verified
 * when the first bytes come. Chunks belong to whoever iterates; who iterates slowly slows the download down. Leaving the
 * iteration early ends everything that was opened for it, and rejects `result`.
 *
 * The iteration throws OciUnpackError, or the reason of `options.signal`.
 *
 * @throws OciUnpackError with `INVALID_OPTION`.
 */
export function read(name: string, path: string, options: LookOptions = {}): FileReading {
  check("name", name, text);
  check("path", path, text);
  const checked = checkOptions(options, lookKinds);
  return handedOver((give: Give, stop) => {
    const signal = checked.signal === undefined ? stop : AbortSignal.any([checked.signal, stop]);
    return readFile(name, path, { ...checked, signal }, give);
  });
}

type Give = (bytes: Uint8Array) => Promise<void>;

function readFile(name: string, path: string, options: LookOptions, give: Give): Promise<ReadResult> {
  const looking = { readsFile: true, path: byteStringOf(path) };
  return withImageReader(name, options, lookKinds, looking, async (reader) => {
    const { entries, ...whereabouts } = await reader.ask({ about: "content", path: looking.path });
    const [entry] = entries;
    if (entry === undefined) throw new TypeError("a file that was found has an entry");
    const take = (bytes: Uint8Array) => unlessAborted(give(Uint8Array.from(bytes)), reader.signal);
    if (entry.sizeBytes > 0) await reader.extract({ ...entry, ...whereabouts }, take);
    return { ...reader.finish(), entry };
  });
}
