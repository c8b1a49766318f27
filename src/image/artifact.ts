import { present } from "../base/present.ts";
import type { ImageSource } from "../blob/image-source.ts";
import { type Descriptor, inlineContent } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { artifactTypeOf, type Manifest, requireArtifact } from "../oci/document.ts";
import { mediaTypes } from "../oci/media-type.ts";
import type { Platform } from "../oci/platform.ts";
import { type ArtifactFile, artifactFiles } from "./artifact-files.ts";
import { checkDownload } from "./download-limits.ts";
import { platformText } from "./image-search.ts";
import { type Choice, chooseManifest, tellTaken } from "./manifest-choice.ts";
import type { ResolvedImage, ResolveOptions } from "./options.ts";

/** What a name stands for that is no image. Nothing of its layers has been fetched. */
export interface Artifact {
  /** The canonical name of the artifact. */
  readonly reference: string;
  /** The digest of the manifest. */
  readonly digest: Digest;
  /** The digest of the index, if the name is that of an index. */
  readonly indexDigest?: Digest;
  /** The platform that the index states, if there is one that does. */
  readonly platform?: Platform;
  /** What its manifest says, or else the media type of its config, or of its first layer. */
  readonly artifactType: string;
  readonly manifest: Manifest;
  /** The bytes of the manifest, which have its digest. */
  readonly manifestBytes: Uint8Array;
  /** What its layers become, in their order. */
  readonly files: readonly ArtifactFile[];
  /** The entries of the index. Empty if there is no index. */
  readonly manifests: readonly Descriptor[];
  /** Fetches the config, verified; `undefined` if it says nothing. */
  readonly config: () => Promise<Uint8Array | undefined>;
}

/** Finds out which artifact a source's name stands for. Throws `NOT_AN_ARTIFACT` for an image. */
export async function resolveArtifact(source: ImageSource, options: ResolveOptions = {}): Promise<Artifact> {
  const choice = await chooseManifest(source, options, "refuse");
  requireArtifact(choice.found.manifest);
  return artifactOf(choice, options);
}

/** The artifact that was chosen. */
export function artifactOf(choice: Choice, options: ResolveOptions): Artifact {
  const { name, found, indexDigest, limits, documents, search } = choice;
  const { digest, manifest, bytes, platform } = found;
  tellTaken(choice, platform === undefined ? "the manifest" : platformText(platform), options);
  const files = artifactFiles(manifest, limits);
  for (const { descriptor } of files) inlineContent(descriptor);
  checkDownload(files, limits);
  options.signal?.throwIfAborted();
  return {
    reference: name,
    digest,
    ...present({ indexDigest, platform }),
    artifactType: artifactTypeOf(manifest),
    manifest,
    manifestBytes: bytes,
    files,
    manifests: search.entries,
    config: async () => {
      const bytes = await documents.configBytes(manifest.config); // the empty one, too: a store wants to have all
      return isEmptyConfig(manifest.config) ? undefined : bytes;
    },
  };
}

/** The digest of `{}`. */
const emptyDigest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

/** Whether a config is there because something has to be (image-spec, manifest.md, "Guidance for an Empty Descriptor"). */
function isEmptyConfig({ mediaType, digest, sizeBytes }: Descriptor): boolean {
  return mediaType === mediaTypes.empty || digest === emptyDigest || sizeBytes === 0;
}

/** An artifact as its manifest says, for a decision about it. */
export function resolvedArtifact({ reference, digest, indexDigest, platform, manifest }: Artifact): ResolvedImage {
  return { reference, digest, ...present({ indexDigest, platform }), manifest };
}
