import assert from "node:assert/strict";
import { test } from "node:test";
import type { Image } from "../../src/image/resolve.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { numberedLayers } from "../../src/operation/image-layers.ts";

const digest = digestOf(Buffer.from("layer"));

/** An image with one layer of this type. */
function imageOf(mediaType: string): Image {
  return { layers: [{ descriptor: { mediaType, digest, sizeBytes: 5 }, diffID: digest }] } as unknown as Image;
}

test("a layer that cannot be unpacked is refused, and of an encrypted one the way to decrypt it is told", () => {
  const refused = { code: "UNSUPPORTED_MEDIA_TYPE", details: { layer: 0, digest } };
  const layer = "application/vnd.oci.image.layer.v1.tar";
  assert.throws(() => numberedLayers(imageOf("application/vnd.in-toto+json")), { ...refused, hint: undefined });
  for (const mediaType of [`${layer}+gzip+encrypted`, `${layer}+encrypted`, `${layer}+zstd+encrypted`]) {
    assert.throws(() => numberedLayers(imageOf(mediaType)), {
      ...refused,
      hint: /^with its key: skopeo copy --decryption-key/,
    });
  }
});
