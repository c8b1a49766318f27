import { OciUnpackError } from "../base/errors.ts";
import { present } from "../base/present.ts";
import { type Descriptor, descriptorFrom } from "./descriptor.ts";
import type { JsonValue } from "./json-value.ts";
import { isImageConfig } from "./media-type.ts";

/** What an image, or an artifact, consists of (image-spec, manifest.md). */
export interface Manifest {
  readonly kind: "manifest";
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Bottom layer first. */
  readonly layers: readonly Descriptor[];
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Far more than any image has; R-33. */
const mostLayers = 10_000;

/** Reads a manifest that is known to be one. */
export function manifestFrom(value: JsonValue, mediaType: string): Manifest {
  const layers = value.optional("layers")?.list() ?? [];
  if (layers.length > mostLayers) value.refuse(`it has ${layers.length} layers, more than ${mostLayers}`);
  return present({
    kind: "manifest" as const,
    mediaType,
    config: descriptorFrom(value.required("config")),
    layers: layers.map(descriptorFrom),
    artifactType: value.optional("artifactType")?.string(),
    annotations: value.optional("annotations")?.stringMap(),
  });
}

/**
 * Whether a manifest is an image rather than an artifact (image-spec, manifest.md, "Guidelines for Artifact Usage").
 *
 * Its config's type decides: an artifact's config must not even be parsed. An image that calls itself an
 * `artifactType` besides is an image still.
 */
export function isImage(manifest: Manifest): boolean {
  return isImageConfig(manifest.config.mediaType);
}

/** Throws `NOT_AN_IMAGE` for an artifact, naming what it is. */
export function requireImage(manifest: Manifest): void {
  if (isImage(manifest)) return;
  const type = manifest.artifactType ?? manifest.config.mediaType;
  throw new OciUnpackError(
    "NOT_AN_IMAGE",
    `cannot find an image: this is an artifact of type "${type.slice(0, 200)}"`,
    {
      hint: "fetch artifacts with a tool for them, such as oras",
    },
  );
}
