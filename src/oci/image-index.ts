import { present } from "../base/present.ts";
import { type Descriptor, descriptorFrom } from "./descriptor.ts";
import type { JsonValue } from "./json-value.ts";
import { documentKind, isImageConfig } from "./media-type.ts";
import { unknown } from "./platform.ts";

/** A list of manifests, one for each platform; Docker calls it a manifest list (image-spec, image-index.md). */
export interface ImageIndex {
  readonly kind: "index";
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

const referenceType = "vnd.docker.reference.type";
/** Far more than there are platforms. */
const mostManifests = 10_000;

/** Reads an index that is known to be one. Entries of unknown type stay in it, as the specification demands. */
export function imageIndexFrom(value: JsonValue, mediaType: string): ImageIndex {
  const manifests = value.optional("manifests")?.list() ?? [];
  if (manifests.length > mostManifests) {
    value.refuse(`it lists ${manifests.length} manifests, more than ${mostManifests}`);
  }
  return present({
    kind: "index" as const,
    mediaType,
    manifests: manifests.map(descriptorFrom),
    annotations: value.optional("annotations")?.stringMap(),
  });
}

/** Whether an entry could lead to an image: not an attestation, not an artifact, not of a type that nobody here knows. */
export function isCandidate(entry: Descriptor): boolean {
  const kind = documentKind(entry.mediaType);
  const isArtifact = entry.artifactType !== undefined && !isImageConfig(entry.artifactType);
  return (kind === "manifest" || kind === "index") && !isArtifact && !isAttestation(entry);
}

/** Whether an entry is BuildKit's attestation of another: where it came from, what is in it. Never an image to run. */
function isAttestation(entry: Descriptor): boolean {
  const { annotations = {}, platform } = entry;
  if (Object.hasOwn(annotations, referenceType) && annotations[referenceType] === "attestation-manifest") return true;
  return platform?.os === unknown || platform?.architecture === unknown;
}
