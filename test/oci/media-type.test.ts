import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bareMediaType,
  documentKind,
  isImageConfig,
  layerCompression,
  manifestAccept,
} from "../../src/oci/media-type.ts";

test("R-30: index types are accepted first, schema 1 and wildcards never", () => {
  assert.deepEqual(manifestAccept, [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
  ]);
});

test("R-31: a media type is compared without parameters and case", () => {
  assert.equal(bareMediaType("Application/JSON; charset=utf-8"), "application/json");
  assert.equal(bareMediaType(" text/plain ;x"), "text/plain");
  assert.equal(bareMediaType(""), "");
});

test("OCI's and Docker's documents are known for what they are", () => {
  assert.equal(documentKind("application/vnd.oci.image.index.v1+json"), "index");
  assert.equal(documentKind("application/vnd.docker.distribution.manifest.list.v2+json"), "index");
  assert.equal(documentKind("application/vnd.oci.image.manifest.v1+json"), "manifest");
  assert.equal(documentKind("application/vnd.docker.distribution.manifest.v2+json"), "manifest");
  assert.equal(documentKind("application/vnd.docker.distribution.manifest.v1+prettyjws"), "schema1");
  assert.equal(documentKind("application/json"), undefined);
  assert.equal(documentKind("constructor"), undefined);
});

test("a layer's media type tells its compression, whoever named it, distributable or not", () => {
  const compressions = {
    "application/vnd.oci.image.layer.v1.tar": "none",
    "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": "gzip",
    "application/vnd.docker.image.rootfs.diff.tar": "none",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": "gzip",
    "application/vnd.oci.image.layer.v1.tar+gzip+encrypted": undefined,
    "application/vnd.in-toto+json": undefined,
    toString: undefined,
  };
  for (const [mediaType, compression] of Object.entries(compressions)) {
    assert.equal(layerCompression(mediaType), compression, mediaType);
  }
});

test("S21: configs are known under the types that old registries gave them; R-40: an artifact's is not one", () => {
  for (const type of ["application/vnd.docker.container.image.v1+json", "application/octet-stream", ""]) {
    assert.ok(isImageConfig(type), type);
  }
  for (const type of ["application/vnd.oci.empty.v1+json", "application/vnd.cncf.helm.config.v1+json"]) {
    assert.ok(!isImageConfig(type), type);
  }
});
