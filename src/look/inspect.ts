import { check, checkOptions, text } from "../base/option-checks.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import { type Image, resolveImage } from "../image/resolve.ts";
import { openSource } from "../source/default-source.ts";
import { CountedImage } from "./counted-image.ts";

export interface InspectResult extends Image {
  /** Bytes that came from the source for it. */
  readonly fetchedBytes: number;
}

/**
 * Tells all that an image's documents say: `resolve`, with what it cost. Where there is nothing for this machine, and no
 * platform was asked for, it is the first image listed, with the warning `PLATFORM_DIFFERS`.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function inspect(name: string, options: ResolveOptions = {}): Promise<InspectResult> {
  check("name", name, text);
  checkOptions(options, resolveKinds);
  options.signal?.throwIfAborted();
  await using opened = openSource(name, options);
  const source = new CountedImage((await opened.source).image(name));
  const image = await resolveImage(source, options, "take-first");
  return { ...image, fetchedBytes: source.bytes };
}
