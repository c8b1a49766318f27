import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import { type Image, resolveImage } from "../image/resolve.ts";
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
