import { OciUnpackError } from "../../base/errors.ts";
import { type BlobOptions, skippingBytes } from "../../blob/image-source.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { algorithmOf, type Digest, encodedOf } from "../../oci/digest.ts";
import type { Files, StoredFile } from "./files.ts";

/** Where a layout keeps a blob (image-spec, image-layout.md). A parsed digest has no characters that could lead elsewhere. */
export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${encodedOf(digest)}`;
}

/** The file of that name, which must be there. */
export async function requireFile(files: Files, name: string, what: string): Promise<StoredFile> {
  const file = await files.open(name);
  if (file === undefined)
    throw new OciUnpackError("NOT_FOUND", `cannot find ${what} in "${files.name}": there is no "${name}"`, {
      hint: "the image is incomplete there: copy it anew",
    });
  return file;
}

/** A whole document, refused above `limitBytes`. */
export async function readDocument(
  file: StoredFile,
  what: string,
  limitBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (file.sizeBytes > limitBytes) {
    throw new OciUnpackError(
      "LIMIT_EXCEEDED",
      `cannot read ${what}: it has ${file.sizeBytes} bytes, ${limitBytes} are allowed`,
    );
  }
  const bytes = new Uint8Array(file.sizeBytes);
  let length = 0;
  for await (const chunk of file.read(signal)) {
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return bytes;
}

/** The bytes of a blob whose file must have the size that its descriptor states. */
export async function* readBlob(
  file: StoredFile,
  descriptor: Descriptor,
  { offset = 0, signal }: BlobOptions,
): AsyncGenerator<Uint8Array> {
  if (file.sizeBytes !== descriptor.sizeBytes) {
    const found = `its file has ${file.sizeBytes} bytes, its descriptor says ${descriptor.sizeBytes}`;
    throw new OciUnpackError("SIZE_MISMATCH", `cannot accept blob ${descriptor.digest}: ${found}`);
  }
  yield* skippingBytes(offset, file.read(signal));
}

/** Some of the names that a message offers to choose from; an image may have given any number, of any length. */
export function listed(names: readonly string[]): string {
  return names
    .slice(0, 20)
    .map((name) => name.slice(0, 200))
    .join(", ");
}
