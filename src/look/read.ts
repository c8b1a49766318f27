import type { Writable } from "node:stream";
import { check, text, writable } from "../base/option-checks.ts";
import { StreamOutput } from "../output/new-file.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import type { ListedEntry } from "./listed.ts";
import { type LookOptions, type LookResult, look, lookKinds } from "./looking.ts";

export interface ReadResult extends LookResult {
  /** The file that was read, where it really is. */
  readonly entry: ListedEntry;
}

/**
 * Reads one file of an image into a stream, without unpacking anything. Symlinks are followed, inside the image.
 *
 * Layers are read from the newest down, and no further than it takes to know which file is meant. Its layer was verified
 * when the first byte goes into the stream; the stream is not ended.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function read(
  name: string,
  path: string,
  destination: Writable,
  options: LookOptions = {},
): Promise<ReadResult> {
  check("path", path, text);
  check("destination", destination, writable);
  return await look(name, options, lookKinds, { readsFile: true }, async (looking) => {
    const { entries, place } = await looking.ask({ about: "content", path: byteStringOf(path) });
    const [entry] = entries;
    if (entry === undefined) throw new TypeError("a file that was found has an entry");
    const output = new StreamOutput(destination, looking.signal);
    // Who reads a stream may hold on to what came out of it.
    if (entry.sizeBytes > 0) await looking.extract(entry.layer, place, (bytes) => output.write(Uint8Array.from(bytes)));
    return { ...looking.finish(), entry };
  });
}
