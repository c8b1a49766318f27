import { OciUnpackError } from "../../base/errors.ts";
import type { FetchOptions } from "../../base/events.ts";
import type { Limits } from "../../base/limits.ts";
import type { BlobOptions, Document, ImageSource } from "../../blob/image-source.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { encodedOf } from "../../oci/digest.ts";
import { type ImageFiles, readBlob, readDocument, requireFile } from "./image-files.ts";

/**
 * An image in a directory as `skopeo copy … dir:PATH` writes it: `manifest.json`, and each blob under its digest's
 * hexadecimal part.
 */
export class DirectoryImage implements ImageSource {
  readonly parallelBlobs = 1;
  readonly name: string;
  readonly #files: ImageFiles;
  readonly #limits: Limits;

  constructor(name: string, files: ImageFiles, limits: Limits) {
    this.name = name;
    this.#files = files;
    this.#limits = limits;
  }

  async manifest(descriptor?: Descriptor, { signal }: FetchOptions = {}): Promise<Document> {
    // If manifest.json is an index, the manifests that it lists are beside it as HEX.manifest.json.
    const files = this.#files;
    if (descriptor === undefined && (await files.open("manifest.json")) === undefined) {
      throw new OciUnpackError("NOT_FOUND", `cannot find an image in "${files.name}": there is no "manifest.json"`, {
        hint: 'dir: reads what "skopeo copy … dir:PATH" writes; oci: an OCI layout; oci-archive: and docker-archive: an archive',
      });
    }
    const path = descriptor === undefined ? "manifest.json" : `${encodedOf(descriptor.digest)}.manifest.json`;
    const file = await requireFile(files, path, "the manifest");
    const bytes = await readDocument(file, path, { limits: this.#limits, limit: "manifestBytes", signal });
    return { mediaType: descriptor?.mediaType ?? "", bytes };
  }

  async *blob(descriptor: Descriptor, options: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    const file = await requireFile(this.#files, encodedOf(descriptor.digest), `blob ${descriptor.digest}`);
    yield* readBlob(file, descriptor, options);
  }
}
