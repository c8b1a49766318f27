import { isOciUnpackError } from "../base/errors.ts";
import { present } from "../base/present.ts";
import { type Artifact, resolvedArtifact } from "../image/artifact.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import { type Image, resolveAny, resolveImage } from "../image/resolve.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
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

/** What `inspect` tells besides the documents. */
interface Inspection {
  /**
   * What refers to it, as the source lists it, each with its `artifactType`: signatures, bills of materials and the like.
   * Absent if the source cannot tell. Nothing of it is verified.
   */
  readonly referrers?: readonly Descriptor[];
  /** Bytes that came from the source for it, the list of what refers to it not counted. */
  readonly fetchedBytes: number;
  /** How long the call took. */
  readonly milliseconds: number;
}

export interface ImageInspection extends Image, Inspection {
  readonly kind: "image";
}

/** All that the documents of an artifact say, and what refers to it. */
export interface ArtifactInspection
  extends Omit<Artifact, "config" | "manifestBytes">,
    Pick<Image, "verified">,
    Inspection {
  readonly kind: "artifact";
}

/** What a name stands for: an image or an artifact, as `kind` says. */
export type InspectResult = ImageInspection | ArtifactInspection;

/**
 * Tells all that the documents of an image, or of an artifact, say, and what refers to it. Where there is nothing for this
 * machine, and no platform was asked for, it is the first image listed, with the warning `PLATFORM_DIFFERS`. The config of
 * an artifact is not read.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function inspect(name: string, options: ResolveOptions = {}): Promise<InspectResult> {
  await using operation = Operation.begin(name, options, resolveKinds);
  const source = new CountedImage(await operation.source());
  const found = await resolveAny(source, operation.resolveOptions, "take-first");
  const resolved = found.kind === "image" ? found.image : resolvedArtifact(found.artifact);
  const { digest } = resolved;
  await operation.accept(source, resolved, resolvedEvent(resolved));
  const referrers = await referrersOf(source, digest, operation);
  const milliseconds = operation.tellFinished(digest);
  const inspection = { ...operation.verified, ...present({ referrers }), fetchedBytes: source.bytes, milliseconds };
  if (found.kind === "image") return { kind: "image", ...found.image, ...inspection };
  const { config: _, manifestBytes: __, ...artifact } = found.artifact;
  return { kind: "artifact", ...artifact, ...inspection };
}

/** What refers to a manifest; `undefined` where nobody can tell, which keeps nobody from the rest. */
async function referrersOf(
  { attachments }: CountedImage,
  digest: Digest,
  { signal, events }: Operation,
): Promise<readonly Descriptor[] | undefined> {
  try {
    return await attachments?.referrers?.(digest, { signal, onEvent: events.tell });
  } catch (error) {
    if (!isOciUnpackError(error)) throw error;
    events.tell({ type: "decision", topic: "referrers", message: `what refers to it is not told: ${error.message}` });
    return undefined;
  }
}
