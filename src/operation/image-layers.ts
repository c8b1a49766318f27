import { OciUnpackError } from "../base/errors.ts";
import type { OciUnpackEvent } from "../base/events.ts";
import type { ArtifactFile } from "../image/artifact-files.ts";
import type { ResolvedImage } from "../image/options.ts";
import type { Image, ImageLayer } from "../image/resolve.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { layerCompression } from "../oci/media-type.ts";
import { formatPlatform, unknown } from "../oci/platform.ts";
import type { NumberedLayer } from "../worker/messages.ts";

/** The layers of an image, as far as they can be unpacked, before any of it is downloaded. */
export function numberedLayers({ layers }: Image): readonly NumberedLayer[] {
  return layers.map(numberedLayer);
}

function numberedLayer({ descriptor, diffID }: ImageLayer, number: number): NumberedLayer {
  const compression = layerCompression(descriptor.mediaType);
  if (compression !== undefined) return { number, compression, compressedBytes: descriptor.sizeBytes, diffID };
  const found = `"${descriptor.mediaType}" is no layer of files`;
  throw new OciUnpackError("UNSUPPORTED_MEDIA_TYPE", `cannot unpack layer ${descriptor.digest}: ${found}`, {
    // As ocicrypt marks them (skopeo, buildah, imgcrypt).
    ...(descriptor.mediaType.endsWith("+encrypted") && {
      hint: "with its key: skopeo copy --decryption-key KEY docker://IMAGE oci:DIR:TAG, then oci:DIR:TAG",
    }),
    details: { layer: number, digest: descriptor.digest },
  });
}

/** What the threads need to know of an artifact's files. `layers` are those of its manifest, which count them. */
export function numberedFiles(files: readonly ArtifactFile[], layers: readonly Descriptor[]): readonly NumberedLayer[] {
  return files.map(({ name, form, descriptor, compression, contentDigest }) => {
    const layer = { number: layers.indexOf(descriptor), compressedBytes: descriptor.sizeBytes };
    if (form === "archive") return { ...layer, compression, diffID: contentDigest, below: name };
    return { ...layer, compression: "none", diffID: undefined };
  });
}

/** What tells what a name turned out to stand for. */
export type ResolvedEvent = Extract<OciUnpackEvent, { readonly type: "resolved" }>;

/** Tells what an image turned out to be. Its platform is unknown where nothing had to be read that states it. */
export function resolvedEvent({ reference, digest, platform, manifest }: ResolvedImage): ResolvedEvent {
  const layers = manifest?.layers.map(({ digest, sizeBytes }) => ({ digest, sizeBytes })) ?? [];
  const sizes = new Map(layers.map((layer) => [layer.digest, layer.sizeBytes]));
  return {
    type: "resolved",
    reference,
    digest,
    platform: platform === undefined ? unknown : formatPlatform(platform),
    layers,
    totalBytes: [...sizes.values()].reduce((total, sizeBytes) => total + sizeBytes, 0),
  };
}
