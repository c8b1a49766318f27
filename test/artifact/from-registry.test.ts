import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { registrySource, unpackArtifact } from "../../src/index.ts";
import { mediaTypes } from "../../src/oci/media-type.ts";
import { title } from "../support/artifact.ts";
import { blob, jsonBlob } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { payloadOf, signer, storeSimpleSignings } from "../trust/signing.ts";

const repository = "some/model";
const model = blob("application/x-model", Buffer.from("the weights"));
const config = blob(mediaTypes.empty, Buffer.from("{}"));
const { descriptor, bytes } = jsonBlob(mediaTypes.ociManifest, {
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  artifactType: "application/vnd.example",
  config: config.descriptor,
  layers: [{ ...model.descriptor, annotations: { [title]: "model.bin" } }],
});

test("an artifact is unpacked only if its owner signed it", async () => {
  await using place = await scratch();
  await using registry = await startRegistry({});
  for (const { bytes, descriptor } of [model, config]) registry.addBlob(bytes, descriptor.mediaType);
  registry.addManifest(repository, "latest", bytes, descriptor.mediaType);
  const [owner, stranger] = [signer(), signer()];
  storeSimpleSignings(registry, repository, descriptor.digest, [{ payload: payloadOf(descriptor.digest), by: owner }]);
  await using source = registrySource({ plainHttp: true });
  const name = `${registry.host}/${repository}:latest`;
  const target = join(place.directory, "target");

  await assert.rejects(unpackArtifact(name, target, { source, trust: { keys: [stranger.pem] } }), {
    code: "SIGNATURE_INVALID",
  });
  assert.equal(existsSync(target), false);

  const { verified = [] } = await unpackArtifact(name, target, { source, trust: { keys: [owner.pem] } });
  assert.equal(verified.length, 1);
  assert.equal(readFileSync(join(target, "files/model.bin"), "utf8"), "the weights");
});
