import { randomBytes } from "node:crypto";
import type { ErrorCode } from "../../src/index.ts";
import { blob, type Image, image } from "../support/image.ts";
import { directory, file, tar } from "../support/tar-builder.ts";

/** Makes other bytes of those that are right; none, where the file is to be missing. */
export type Change = (bytes: Uint8Array) => Uint8Array | undefined;

/** A way in which an image can be wrong, wherever it lies. */
export interface Fault {
  readonly title: string;
  /** Befalls what a source reads first: `index.json`, docker's list, or the manifest. */
  readonly first?: Change;
  /** Befalls the file of the uppermost layer. */
  readonly layer?: Change;
  /** Instead of the sample: an image that is wrong in itself. */
  readonly image?: Image;
  readonly code: ErrorCode;
}

const layers = [
  tar(directory("etc"), file("etc/name", "of the lower layer")),
  tar(file("etc/more", "of the upper layer"), file("large", randomBytes(100_000))),
];

export const sample = image(layers);

export const faults: readonly Fault[] = [
  { title: "what is read first is missing", first: () => undefined, code: "NOT_FOUND" },
  { title: "what is read first is cut short", first: (bytes) => bytes.subarray(0, -1), code: "INVALID_MANIFEST" },
  { title: "what is read first is empty", first: () => new Uint8Array(0), code: "INVALID_MANIFEST" },
  { title: "what is read first has a key twice", first: keyTwice, code: "INVALID_MANIFEST" },
  { title: "a layer is missing", layer: () => undefined, code: "NOT_FOUND" },
  { title: "a layer has other bytes", layer: lastByteChanged, code: "DIGEST_MISMATCH" },
  { title: "a layer has other bytes, which are not gzip's", layer: noDeflateData, code: "DIGEST_MISMATCH" },
  { title: "a layer is too short", layer: (bytes) => bytes.subarray(0, -1), code: "SIZE_MISMATCH" },
  { title: "a layer is too long", layer: (bytes) => Buffer.concat([bytes, bytes]), code: "SIZE_MISMATCH" },
  { title: "a layer's compressed data stops short", image: withTopLayerCut(), code: "CORRUPT_LAYER" },
  { title: "a layer is no archive", image: image([Buffer.alloc(2048, "x")]), code: "INVALID_ARCHIVE" },
  { title: "a layer is not what the configuration says", image: withOtherDiffID(), code: "DIFF_ID_MISMATCH" },
];

export function topLayerOf({ layers }: Image): string {
  return layers.at(-1)?.descriptor.digest ?? "";
}

/** Whatever comes first in a JSON object is there twice afterwards. */
function keyTwice(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString();
  return Buffer.from(text.replace(/\{("\w+":)/, '{$1"",$1'));
}

function lastByteChanged(bytes: Uint8Array): Uint8Array {
  return bytes.with(-1, (bytes.at(-1) ?? 0) ^ 1);
}

/** What follows gzip's header claims to be a block of a type that there is not. */
function noDeflateData(bytes: Uint8Array): Uint8Array {
  return bytes.with(10, 0xff);
}

function withTopLayerCut(): Image {
  const stored = sample.layers.map(({ descriptor, bytes }, index) =>
    blob(descriptor.mediaType, index === layers.length - 1 ? bytes.subarray(0, bytes.length >> 1) : bytes),
  );
  return image(layers, { layers: stored });
}

function withOtherDiffID(): Image {
  const digests = layers.map((layer) => blob("", layer).descriptor.digest);
  return image(layers, { diffIds: digests.toReversed() });
}
