import type { FetchOptions } from "../base/events.ts";
import { check, sourceDocument } from "../base/option-checks.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Document, ImageSource } from "./image-source.ts";

/** Asks an image for a document. Throws `INVALID_OPTION` where a source of the caller's own gives something else. */
export async function documentFrom(
  image: ImageSource,
  descriptor: Descriptor | undefined,
  options: FetchOptions | undefined,
): Promise<Document> {
  const document = await image.manifest(descriptor, options);
  check("source.image().manifest()", document, sourceDocument);
  return document;
}
