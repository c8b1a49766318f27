import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import { type Image, resolveImage } from "../image/resolve.ts";
import { CountedImage } from "../operation/counted-image.ts";
import { resolvedEvent } from "../operation/image-layers.ts";
import { Operation } from "../operation/operation.ts";

/**
 * Finds out what an image is without downloading its layers: manifest and config of the platform that is wanted, each
 * verified.
 *
 * Where the name stands for an index, the platform chooses from it. Where it stands for a single manifest, that is taken,
 * unless a platform was asked for that it is not for.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function resolve(name: string, options: ResolveOptions = {}): Promise<Image> {
  await using operation = Operation.begin(name, options, resolveKinds);
  const source = await operation.source();
  const image = await resolveImage(source, operation.resolveOptions);
  await operation.accept(source, image, resolvedEvent(image));
  operation.finish(image);
  return { ...image, ...operation.verified };
}

export interface InspectResult extends Image {
  /** Bytes that came from the source for it. */
  readonly fetchedBytes: number;
  /** How long the call took. */
  readonly milliseconds: number;
}

/**
 * Tells all that an image's documents say: `resolve`, with what it cost. Where there is nothing for this machine, and no
 * platform was asked for, it is the first image listed, with the warning `PLATFORM_DIFFERS`.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function inspect(name: string, options: ResolveOptions = {}): Promise<InspectResult> {
  await using operation = Operation.begin(name, options, resolveKinds);
  const source = new CountedImage(await operation.source());
  const image = await resolveImage(source, operation.resolveOptions, "take-first");
  await operation.accept(source, image, resolvedEvent(image));
  const { milliseconds } = operation.finish(image);
  return { ...image, ...operation.verified, fetchedBytes: source.bytes, milliseconds };
}
