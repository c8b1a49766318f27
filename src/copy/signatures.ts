import { MemoryBudget } from "../base/memory-budget.ts";
import { invalidOption } from "../base/option-checks.ts";
import type { Digest } from "../oci/digest.ts";
import { parseDocument } from "../oci/document.ts";
import type { SignatureManifest } from "../trust/signature-search.ts";
import type { TrustContext } from "../trust/trust.ts";
import { type ImageContents, withBlobs } from "./image-contents.ts";
import type { RecordedImage } from "./recorded-image.ts";

/** How signatures are looked for, in an image whose documents were recorded. */
export interface SignatureContext extends TrustContext {
  readonly source: RecordedImage;
}

/** How many bytes of memory a byte of a manifest takes that is kept parsed. */
const bytesForEach = 4;

/**
 * The contents of a copy with what is stored as signatures and attestations of its manifests and indexes. Nothing of it is
 * verified: whoever uses the copy does that.
 *
 * Where one platform is copied, and something is stored for the index, the name leads to that index in the copy, because it
 * is what was signed: the copy lacks what else it lists.
 */
export async function withSignatures(contents: ImageContents, context: SignatureContext): Promise<ImageContents> {
  const { image } = contents;
  const { source } = context;
  if (image === undefined) return withManifests(contents, await signaturesOf([...contents.documents.keys()], context));
  const { digest, indexDigest } = image;
  const ofManifest = await signaturesOf([digest], context);
  const ofIndex = indexDigest === undefined ? [] : await signaturesOf([indexDigest], context);
  const signed =
    indexDigest === undefined || ofIndex.length === 0 ? contents : withIndex(contents, source, indexDigest);
  return withManifests(signed, [...ofIndex, ...ofManifest]);
}

async function signaturesOf(
  subjects: readonly Digest[],
  { source, limits, ...options }: SignatureContext,
): Promise<readonly SignatureManifest[]> {
  const { SignatureSearch } = await import("../trust/signature-search.ts");
  const search = new SignatureSearch(source, limits, options);
  const memory = new MemoryBudget(limits);
  const found: SignatureManifest[] = [];
  for (const subject of subjects) {
    await insistOnManifests(source, subject, options);
    for await (const each of search.manifestsOf(subject)) {
      memory.spend(bytesForEach * each.bytes.length, "manifests");
      found.push(each);
    }
  }
  return found;
}

/** Throws where signatures are files beside the image: a layout has no place for those. */
async function insistOnManifests(
  { attachments, name }: RecordedImage,
  subject: Digest,
  options: Pick<TrustContext, "signal" | "onEvent">,
): Promise<void> {
  const files = (await attachments?.signatureFiles?.(subject, options)) ?? [];
  if (files.length === 0) return;
  throw invalidOption("signatures", `those of "${name}" are files, which a layout cannot have`, "leave it out");
}

/** The contents with the index that led to the manifest, and those between both. */
function withIndex(contents: ImageContents, source: RecordedImage, indexDigest: Digest): ImageContents {
  const documents = new Map(contents.documents);
  let top = contents.top;
  for (const [digest, bytes] of source.documents) {
    const { kind, mediaType } = parseDocument(bytes, { contentType: "" });
    if (kind !== "index") continue;
    documents.set(digest, bytes);
    if (digest === indexDigest) top = { mediaType, digest, sizeBytes: bytes.length };
  }
  return { ...contents, top, documents };
}

function withManifests(contents: ImageContents, found: readonly SignatureManifest[]): ImageContents {
  const documents = new Map(contents.documents);
  for (const { descriptor, bytes } of found) documents.set(descriptor.digest, bytes);
  const parts = found.flatMap(({ manifest }) => [manifest.config, ...manifest.layers]);
  return { ...withBlobs(contents, parts), documents, signatures: found };
}
