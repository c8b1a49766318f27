import { OciUnpackError } from "../../base/errors.ts";
import type { FetchOptions } from "../../base/events.ts";
import type { Limits } from "../../base/limits.ts";
import type {
  BlobOptions,
  Document,
  ImageAttachments,
  ImagePlace,
  ImageSource,
  PlacedImage,
} from "../../blob/image-source.ts";
import { type Descriptor, verifyBytes } from "../../oci/descriptor.ts";
import { type Digest, parseDigest, referrersTag, subjectOfTag } from "../../oci/digest.ts";
import { type ImageIndex, imageIndexFrom, isCandidate, type Manifest, parseDocument } from "../../oci/document.ts";
import { JsonValue } from "../../oci/json-value.ts";
import { documentKind, mediaTypes } from "../../oci/media-type.ts";
import {
  blobPath,
  type ImageFiles,
  listed,
  mostListed,
  type OpenFiles,
  readBlob,
  readDocument,
  requireFile,
} from "./image-files.ts";

/** Which image of a layout is wanted: the one with a name, the one with a digest, or the only one. */
type Selector = { readonly name: string } | { readonly digest: Digest } | "only";

/** Splits `PATH[:NAME|@DIGEST]`. As with skopeo, the path cannot contain a colon. */
export function splitSelector(text: string): { readonly path: string; readonly selector: Selector } {
  const at = text.lastIndexOf("@");
  const digest = at < 0 ? undefined : parseDigest(text.slice(at + 1));
  if (digest !== undefined) return { path: text.slice(0, at), selector: { digest } };
  if (at >= 0 && /^sha\d+:/.test(text.slice(at + 1))) {
    throw new OciUnpackError("INVALID_REFERENCE", `cannot open "${text}": its digest has a wrong number of digits`, {
      hint: "a sha256 digest has 64 digits, 0-9 and a-f",
    });
  }
  const colon = text.indexOf(":");
  if (colon < 0) return { path: text, selector: "only" };
  return { path: text.slice(0, colon), selector: { name: text.slice(colon + 1) } };
}

const nameAnnotations = ["org.opencontainers.image.ref.name", "io.containerd.image.name"] as const;

/** An image in an OCI image layout (image-spec, image-layout.md), in a directory or in an archive. */
export class LayoutImage implements ImageSource {
  readonly parallelBlobs = 1;
  readonly attachments: ImageAttachments = {
    tagged: (tag, options = {}) => this.#tagged(tag, options),
    referrers: (digest, options = {}) => this.#referrers(digest, options),
  };
  readonly name: string;
  readonly location: ImagePlace;
  readonly #files: OpenFiles;
  readonly #selector: Selector;
  readonly #limits: Limits;

  constructor({ name, location }: PlacedImage, files: OpenFiles, selector: Selector, limits: Limits) {
    this.name = name;
    this.location = location;
    this.#files = files;
    this.#selector = selector;
    this.#limits = limits;
  }

  async manifest(descriptor?: Descriptor, { signal }: FetchOptions = {}): Promise<Document> {
    const files = await this.#files(signal);
    if (descriptor !== undefined) return await readManifest(files, descriptor, this.#limits, signal);
    const { bytes, index } = await readIndex(files, this.#limits, signal);
    const chosen = choose(index, this.#selector, files.name);
    if (chosen === "index") return { mediaType: mediaTypes.ociIndex, bytes };
    return await readManifest(files, chosen, this.#limits, signal);
  }

  async *blob(descriptor: Descriptor, options: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    const files = await this.#files(options.signal);
    const file = await requireFile(files, blobPath(descriptor.digest), `blob ${descriptor.digest}`);
    yield* readBlob(file, descriptor, options);
  }

  async #tagged(tag: string, { signal }: FetchOptions): Promise<Document | undefined> {
    const files = await this.#files(signal);
    const { index } = await readIndex(files, this.#limits, signal);
    const entry = index.manifests.find((each) => namesOf(each).includes(tag)) ?? savedBeside(index, tag);
    return entry && (await readManifest(files, entry, this.#limits, signal));
  }

  /** The manifests of the layout that say that they refer to a manifest, and what the tag for them lists. */
  async #referrers(digest: Digest, options: FetchOptions): Promise<readonly Descriptor[]> {
    const files = await this.#files(options.signal);
    const { index } = await readIndex(files, this.#limits, options.signal);
    const found: Descriptor[] = [];
    for (const entry of index.manifests) {
      if (documentKind(entry.mediaType) !== "manifest" || namesOf(entry).length > 0 || entry.platform) continue;
      const { bytes, mediaType } = await readManifest(files, entry, this.#limits, options.signal);
      const document = parseDocument(bytes, { contentType: mediaType });
      if (document.kind === "manifest" && document.subject?.digest === digest) found.push(entry);
    }
    const tagged = await this.#tagged(referrersTag(digest), options);
    const listed = tagged && parseDocument(tagged.bytes, { contentType: tagged.mediaType });
    return listed?.kind === "index" ? [...found, ...listed.manifests] : found;
  }
}

/** Whether the files are an image layout. */
export async function isLayout(files: ImageFiles): Promise<boolean> {
  return (await files.open("oci-layout")) !== undefined && (await files.open("index.json")) !== undefined;
}

/**
 * The image manifests of a layout, with those in nested indexes. Each is read once, also if several indexes list it.
 */
export async function* layoutManifests(
  files: ImageFiles,
  limits: Limits,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly document: Document; readonly manifest: Manifest }> {
  const seen = new Set<Digest>();
  let level = [(await readIndex(files, limits, signal)).index];
  for (let depth = 1; depth <= limits.indexDepth; depth += 1) {
    const next: ImageIndex[] = [];
    for (const entry of level.flatMap(({ manifests }) => manifests)) {
      if (documentKind(entry.mediaType) === undefined || seen.has(entry.digest)) continue;
      seen.add(entry.digest);
      if ((await files.open(blobPath(entry.digest))) === undefined) continue;
      const document = await readManifest(files, entry, limits, signal);
      const parsed = parseDocument(document.bytes, { contentType: document.mediaType });
      if (parsed.kind === "index") next.push(parsed);
      else yield { document, manifest: parsed };
    }
    level = next;
  }
}

async function readManifest(
  files: ImageFiles,
  descriptor: Descriptor,
  limits: Limits,
  signal?: AbortSignal,
): Promise<Document> {
  const file = await requireFile(files, blobPath(descriptor.digest), `manifest ${descriptor.digest}`);
  const bytes = await readDocument(file, `manifest ${descriptor.digest}`, { limits, limit: "manifestBytes", signal });
  verifyBytes(descriptor, bytes);
  return { mediaType: descriptor.mediaType, bytes };
}

async function readIndex(
  files: ImageFiles,
  limits: Limits,
  signal?: AbortSignal,
): Promise<{ readonly bytes: Uint8Array; readonly index: ImageIndex }> {
  const file = await files.open("index.json");
  if (file === undefined) {
    throw new OciUnpackError(
      "NOT_FOUND",
      `cannot find an image in "${files.name}": it has no index.json, so it is not an OCI layout`,
      {
        hint: "oci: reads a directory, oci-archive: the same in an archive, docker-archive: what docker save wrote, dir: what skopeo did",
      },
    );
  }
  const bytes = await readDocument(file, "index.json", { limits, limit: "manifestBytes", signal });
  return {
    bytes,
    index: imageIndexFrom(
      JsonValue.parse(bytes, `index.json of "${files.name}"`, "INVALID_MANIFEST"),
      mediaTypes.ociIndex,
    ),
  };
}

/** The entry that is wanted, or the index itself if it lists the platforms of one image. */
function choose(index: ImageIndex, selector: Selector, layout: string): Descriptor | "index" {
  const { manifests } = index;
  if (selector === "only") {
    const choices = choicesOf(index);
    const images = choices.filter(isImageEntry);
    const [first, ...others] = images.length > 0 ? images : choices;
    if (first !== undefined && others.every(({ digest }) => digest === first.digest)) return first;
    if (manifests.length > 0 && manifests.every((entry) => namesOf(entry).length === 0 && entry.platform))
      return "index";
    throw notChosen(index, layout, manifests.length === 0 ? "it lists none" : `it has ${choices.length}`);
  }
  if ("digest" in selector) {
    const found = manifests.find(({ digest }) => digest === selector.digest);
    return found ?? refuse(index, layout, selector.digest);
  }
  const named = manifests.filter((entry) => namesOf(entry).includes(selector.name));
  const [first] = named;
  if (first === undefined) refuse(index, layout, selector.name);
  // Where several repositories were saved at once, names are tags alone.
  const others = named.filter(({ digest }) => digest !== first.digest);
  if (others.length > 0) throw notChosen(index, layout, `more than one is "${selector.name}"`);
  return first;
}

/** What `cosign save` says of an entry in place of a name: there is one image, and beside it what belongs to it. */
function savedAs({ annotations = {} }: Descriptor): string | undefined {
  const prefix = "dev.cosignproject.cosign/";
  const kind = Object.hasOwn(annotations, "kind") ? annotations.kind : undefined;
  return kind?.startsWith(prefix) === true ? kind.slice(prefix.length) : undefined;
}

/** The signatures or attestations that `cosign save` put beside the image that a tag is about. */
function savedBeside({ manifests }: ImageIndex, tag: string): Descriptor | undefined {
  const kind = tag.endsWith(".sig") ? "sigs" : tag.endsWith(".att") ? "atts" : undefined;
  const image = manifests.find((entry) => savedAs(entry) === "image" || savedAs(entry) === "imageIndex");
  if (kind === undefined || image === undefined || image.digest !== subjectOfTag(tag)) return undefined;
  return manifests.find((entry) => savedAs(entry) === kind);
}

/** What somebody may mean: images, and artifacts with a name. Where there is none of them, it is all that there is. */
function choicesOf({ manifests }: ImageIndex): readonly Descriptor[] {
  const choices = manifests.filter((entry) => isImageEntry(entry) || isNamedArtifact(entry));
  return choices.length > 0 ? choices : manifests;
}

function isNamedArtifact(entry: Descriptor): boolean {
  const names = namesOf(entry);
  return names.length > 0 && names.every((name) => subjectOfTag(name) === undefined);
}

/** Whether an entry is of an image rather than what is stored beside one, such as its signatures. */
function isImageEntry(entry: Descriptor): boolean {
  if (namesOf(entry).some((name) => subjectOfTag(name) !== undefined)) return false;
  if (savedAs(entry) === "sigs" || savedAs(entry) === "atts") return false;
  return entry.platform !== undefined || isCandidate(entry);
}

function refuse(index: ImageIndex, layout: string, wanted: string): never {
  throw notChosen(index, layout, index.manifests.length === 0 ? "it lists none" : `none is "${wanted}"`);
}

function namesOf({ annotations = {} }: Descriptor): readonly string[] {
  return nameAnnotations.flatMap((key) => (Object.hasOwn(annotations, key) ? [annotations[key] ?? ""] : []));
}

function notChosen(index: ImageIndex, layout: string, found: string): OciUnpackError {
  const all = choicesOf(index);
  const isOwn = (name: string, { digest }: Descriptor) =>
    all.every((other) => other.digest === digest || !namesOf(other).includes(name));
  const choices = all.slice(0, mostListed).map((entry) => {
    const name = namesOf(entry).find((each) => isOwn(each, entry));
    return name === undefined ? `@${entry.digest}` : `:${name}`;
  });
  return new OciUnpackError("NOT_FOUND", `cannot choose an image in "${layout}": ${found}`, {
    hint: choices.length > 0 ? `append one of these: ${listed(choices, all.length)}` : "copy an image into it first",
  });
}
