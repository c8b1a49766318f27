import { OciUnpackError } from "../base/errors.ts";
import { present } from "../base/present.ts";
import { type Descriptor, descriptorFrom } from "./descriptor.ts";
import { JsonValue } from "./json-value.ts";
import { bareMediaType, type DocumentKind, documentKind, isImageConfig, isVague, mediaTypes } from "./media-type.ts";
import { unknown } from "./platform.ts";

/** What others than the document itself say about its type. */
export interface DocumentClaims {
  /** The answer's Content-Type; it may be empty, or too vague to mean anything. */
  readonly contentType: string;
  /** The type in the descriptor that led to the document, if one did. */
  readonly descriptorType?: string;
}

/**
 * Reads a manifest or index whose bytes are verified, but whose type is yet to be found out.
 *
 * The descriptor, the Content-Type and the document itself may each state a type. They need not, but those that do must
 * agree, and the document must have the shape of that type and of no other: else two readers of one digest could see
 * two images (CVE-2021-41190, R-32). Throws `INVALID_MANIFEST` or `UNSUPPORTED_MEDIA_TYPE`.
 */
export function parseDocument(bytes: Uint8Array, claims: DocumentClaims): ImageIndex | Manifest {
  const contentType = bareMediaType(claims.contentType);
  const claimed = [claims.descriptorType ?? "", isVague(contentType) ? "" : contentType].filter((type) => type !== "");
  // Before anything else: what says that it is HTML is no manifest with a syntax error.
  for (const type of claimed) requireKnown(type);

  const value = JsonValue.parse(bytes, "manifest", "INVALID_MANIFEST");
  const shape = shapeOf(value);
  const own = value.optional("mediaType")?.string();
  const mediaType =
    agreedType(value, own === undefined ? claimed : [...claimed, bareMediaType(own)]) ?? typeFor(value, shape);
  requireKnown(mediaType);

  const kind = documentKind(mediaType);
  if (shape !== undefined && shape !== kind) {
    value.refuse(`its type is "${mediaType}", its members are those of ${described[shape]}`);
  }
  const version = value.optional("schemaVersion")?.count() ?? 2;
  if (version !== 2) value.refuse(`its schemaVersion is ${version}`);
  return kind === "index" ? imageIndexFrom(value, mediaType) : manifestFrom(value, mediaType);
}

const described: Readonly<Record<DocumentKind, string>> = {
  index: "an index",
  manifest: "a manifest",
  schema1: "a schema 1 manifest",
};

function requireKnown(mediaType: string): void {
  const kind = documentKind(mediaType);
  if (kind === "index" || kind === "manifest") return;
  const found = kind === "schema1" ? "it has Docker's schema 1" : `its media type is "${mediaType.slice(0, 200)}"`;
  throw new OciUnpackError("UNSUPPORTED_MEDIA_TYPE", `cannot read the manifest: ${found}`, {
    hint:
      kind === "schema1"
        ? "push the image again with Docker 1.10 or newer, or with skopeo"
        : "check that the name is that of an image in a registry",
  });
}

/** What the members say that the document is; an error where they say two things at once. */
function shapeOf(value: JsonValue): DocumentKind | undefined {
  const has = (key: string) => value.optional(key) !== undefined;
  const shapes: readonly DocumentKind[] = [
    ...(has("manifests") ? (["index"] as const) : []),
    ...(has("config") || has("layers") ? (["manifest"] as const) : []),
    ...(has("fsLayers") ? (["schema1"] as const) : []),
  ];
  if (shapes.length > 1) {
    value.refuse(`it has the members of ${shapes.map((shape) => described[shape]).join(" and of ")}`);
  }
  return shapes[0];
}

function agreedType(value: JsonValue, stated: readonly string[]): string | undefined {
  const [first, ...others] = new Set(stated);
  if (others.length > 0) {
    value.refuse(`its type is stated as "${first}" and as "${others.join('" and as "').slice(0, 400)}"`);
  }
  return first;
}

/** Docker's documents always state their type, so one that states none is OCI's, or older than both. */
function typeFor(value: JsonValue, shape: DocumentKind | undefined): string {
  if (shape === undefined) return value.refuse("it is neither a manifest nor an index");
  return { index: mediaTypes.ociIndex, manifest: mediaTypes.ociManifest, schema1: mediaTypes.dockerSchema1 }[shape];
}

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

/**
 * Whether an entry could lead to an image: not an attestation, not an artifact, not of a type that nobody here knows
 * (R-36, R-39).
 */
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
function manifestFrom(value: JsonValue, mediaType: string): Manifest {
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
