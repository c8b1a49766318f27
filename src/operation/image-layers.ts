import { OciUnpackError } from "../base/errors.ts";
import type { OciUnpackEvent } from "../base/events.ts";
import type { Image, ImageLayer } from "../image/resolve.ts";
import { layerCompression } from "../oci/media-type.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { NumberedLayer } from "../worker/messages.ts";

/** The layers of an image, as far as they can be unpacked, before any of it is downloaded. */
export function numberedLayers({ layers }: Image): readonly NumberedLayer[] {
  return layers.map(numberedLayer);
}

function numberedLayer({ descriptor, diffID }: ImageLayer, number: number): NumberedLayer {
  const compression = layerCompression(descriptor.mediaType);
  if (compression !== undefined) return { number, compression, diffID };
  const found = `"${descriptor.mediaType}" is no layer of files`;
  throw new OciUnpackError("UNSUPPORTED_MEDIA_TYPE", `cannot unpack layer ${descriptor.digest}: ${found}`, {
    details: { layer: number, digest: descriptor.digest },
  });
}

/** What tells what a name turned out to stand for. */
export type ResolvedEvent = Extract<OciUnpackEvent, { readonly type: "resolved" }>;

/** Tells what an image turned out to be. */
export function resolvedEvent(image: Image): ResolvedEvent {
  const layers = image.layers.map(({ descriptor }) => ({ digest: descriptor.digest, sizeBytes: descriptor.sizeBytes }));
  const sizes = new Map(layers.map(({ digest, sizeBytes }) => [digest, sizeBytes]));
  return {
    type: "resolved",
    reference: image.reference,
    digest: image.digest,
    platform: formatPlatform(image.platform),
    layers,
    totalBytes: [...sizes.values()].reduce((total, sizeBytes) => total + sizeBytes, 0),
  };
}
