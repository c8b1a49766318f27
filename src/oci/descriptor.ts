import { OciUnpackError } from "../base/errors.ts";
import { present } from "../base/present.ts";
import { type Digest, hasherFor, parseDigest } from "./digest.ts";
import type { JsonValue } from "./json-value.ts";
import { bareMediaType } from "./media-type.ts";
import { type Platform, platformFrom } from "./platform.ts";

/**
 * Describes content that is elsewhere: its type, digest and size (image-spec, descriptor.md).
 *
 * It has been parsed: its digest has a valid syntax, and its size is a safe integer from 0 on.
 */
export interface Descriptor {
  /** In lower case, without parameters. Empty if the document does not state it: then it can only be a config (S21). */
  readonly mediaType: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** The content itself, decoded but not verified. */
  readonly data?: Uint8Array;
  /** Other addresses of the content. They are used only if the caller allows foreign layers. */
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  /** Only in an index. */
  readonly platform?: Platform;
}

const MiB = 1024 * 1024;

/** Parses a descriptor. Throws the error of its document. */
export function descriptorFrom(value: JsonValue): Descriptor {
  const platform = value.optional("platform");
  return present({
    mediaType: bareMediaType(value.optional("mediaType")?.string() ?? ""),
    digest: digestFrom(value.required("digest")),
    sizeBytes: value.required("size").count(),
    data: dataFrom(value.optional("data")),
    urls: value.optional("urls")?.strings(),
    annotations: value.optional("annotations")?.stringMap(),
    artifactType: value.optional("artifactType")?.string(),
    platform: platform && platformFrom(platform),
  });
}

/** Parses a digest. Throws the error of its document. */
export function digestFrom(value: JsonValue): Digest {
  const text = value.string();
  return parseDigest(text) ?? value.refuse(`"${text.slice(0, 200)}" is not a digest`);
}

function dataFrom(value: JsonValue | undefined): Uint8Array | undefined {
  if (value === undefined) return undefined;
  const bytes = value.bytes();
  if (bytes.length > MiB) value.refuse(`it has ${bytes.length} bytes, and at most ${MiB} may be in a document`);
  return bytes;
}

/**
 * The verified content in a descriptor's `data`; `undefined` if it has none.
 *
 * Throws `SIZE_MISMATCH` or `DIGEST_MISMATCH`.
 */
export function inlineContent(descriptor: Descriptor): Uint8Array | undefined {
  if (descriptor.data === undefined) return undefined;
  verifyBytes(descriptor, descriptor.data);
  return descriptor.data;
}

/**
 * Throws unless the bytes have the size and then the digest that the descriptor says (image-spec, descriptor.md,
 * "Verification").
 */
export function verifyBytes(descriptor: Descriptor, bytes: Uint8Array): void {
  const { digest, sizeBytes } = descriptor;
  if (bytes.length !== sizeBytes) {
    throw new OciUnpackError(
      "SIZE_MISMATCH",
      `cannot accept ${digest}: it has ${bytes.length} bytes, its descriptor says ${sizeBytes}`,
      { details: { digest } },
    );
  }
  verifyDigest(digest, bytes);
}

/** Throws unless the bytes have that digest. */
export function verifyDigest(digest: Digest, bytes: Uint8Array): void {
  const hasher = hasherFor(digest);
  hasher.update(bytes);
  const actual = hasher.digest();
  if (actual !== digest)
    throw new OciUnpackError("DIGEST_MISMATCH", `cannot accept ${digest}: its bytes digest to ${actual}`, {
      details: { digest },
    });
}
