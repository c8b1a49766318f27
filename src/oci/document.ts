import { OciUnpackError } from "../base/errors.ts";
import { present } from "../base/present.ts";
import { type Descriptor, descriptorFrom } from "./descriptor.ts";
import { JsonValue } from "./json-value.ts";
import {
  bareMediaType,
  type DocumentKind,
  documentKind,
  isImageConfig,
  isImageLayer,
  isVague,
  mediaTypes,
} from "./media-type.ts";
import { unknown } from "./platform.ts";

/** What the registry and the descriptor say about a document's type. */
export interface DocumentClaims {
  /** The response's Content-Type. It may be empty, or too general to mean anything. */
  readonly contentType: string;
  /** The type in the descriptor that led to the document, if one did. */
  readonly descriptorType?: string;
}

/**
 * Parses a manifest or an index. Its bytes have been verified, but it is not known which of the two it is.
 *
 * The descriptor, the Content-Type and the document itself may each state a type. Those that do must agree, and the
 * document must have the members of that type and of no other. Otherwise two programs could see two different images
 * under one digest (CVE-2021-41190, R-32). Throws `INVALID_MANIFEST` or `UNSUPPORTED_MEDIA_TYPE`.
 */
export function parseDocument(bytes: Uint8Array, claims: DocumentClaims): ImageIndex | Manifest {
  const contentType = bareMediaType(claims.contentType);
  const claimed = [claims.descriptorType ?? "", isVague(contentType) ? "" : contentType].filter((type) => type !== "");
  // First of all, so that an HTML page is not reported as a manifest with a syntax error.
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

/** The kind of document by its members. Throws if it has the members of several kinds. */
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

/** The type of a document that states none. Docker's documents always state theirs, except for the old schema 1. */
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
/** Far more manifests than there are platforms. */
const mostManifests = 10_000;

/** Parses an index. Entries of unknown types are kept, as the specification demands. */
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
 * Whether an entry may be an image, or an index with one: no attestation, no artifact, no unknown type.
 */
export function isCandidate(entry: Descriptor): boolean {
  const isArtifact = entry.artifactType !== undefined && !isImageConfig(entry.artifactType);
  return isListed(entry) && !isArtifact;
}

/** Whether an entry may be anything that its index is about: an image or an artifact, and no attestation of another. */
export function isListed(entry: Descriptor): boolean {
  const kind = documentKind(entry.mediaType);
  return (kind === "manifest" || kind === "index") && !isAttestation(entry);
}

/** Whether an entry is an attestation by BuildKit about another one: its origin, or its contents. */
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
  /** The manifest that it refers to, as a signature does. */
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Far more layers than any image has. */
const mostLayers = 10_000;

/** Parses a manifest. */
function manifestFrom(value: JsonValue, mediaType: string): Manifest {
  const layers = value.optional("layers")?.list() ?? [];
  if (layers.length > mostLayers) value.refuse(`it has ${layers.length} layers, more than ${mostLayers}`);
  const subject = value.optional("subject");
  return present({
    kind: "manifest" as const,
    mediaType,
    config: descriptorFrom(value.required("config")),
    layers: layers.map(descriptorFrom),
    artifactType: value.optional("artifactType")?.string(),
    subject: subject && descriptorFrom(subject),
    annotations: value.optional("annotations")?.stringMap(),
  });
}

/**
 * Whether a manifest is an image rather than an artifact (image-spec, manifest.md, "Guidelines for Artifact Usage").
 *
 * The type of its config decides. The config of an artifact must not be parsed. An image may have an
 * `artifactType`, too. What has an image's config and layers none of which is one of files is an artifact: signatures
 * and bills of materials are stored so, and BuildKit's attestations.
 */
export function isImage({ config, layers }: Manifest): boolean {
  if (!isImageConfig(config.mediaType)) return false;
  return layers.length === 0 || layers.some(({ mediaType }) => isImageLayer(mediaType));
}

/** Of which type an artifact is: what its manifest says, or else what is in it. */
export function artifactTypeOf({ artifactType, config, layers }: Manifest): string {
  if (artifactType !== undefined && artifactType !== "") return artifactType;
  return isImageConfig(config.mediaType) ? (layers[0]?.mediaType ?? config.mediaType) : config.mediaType;
}

/** Throws `NOT_AN_IMAGE` for an artifact; the error says of which type it is. */
export function requireImage(manifest: Manifest): void {
  if (isImage(manifest)) return;
  const type = artifactTypeOf(manifest).slice(0, 200);
  throw new OciUnpackError("NOT_AN_IMAGE", `cannot find an image: this is an artifact of type "${type}"`, {
    hint: "fetch it as files, with `unpackArtifact`",
  });
}

/** Throws `NOT_AN_ARTIFACT` for an image. */
export function requireArtifact(manifest: Manifest): void {
  if (!isImage(manifest)) return;
  throw new OciUnpackError("NOT_AN_ARTIFACT", "cannot find an artifact: this is an image, whose layers are no files", {
    hint: "unpack it into a root filesystem, with `unpack`",
  });
}
