import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { resolve } from "../../../src/look/resolve.ts";
import { image, stored } from "../../support/image.ts";
import { startRegistry } from "../../support/registry-double.ts";
import { scratch } from "../../support/scratch.ts";
import { file, tar } from "../../support/tar-builder.ts";
import { payloadOf, signer, storeSimpleSignings } from "../signing.ts";

const isLoaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes("/@sigstore/"));

test("what verifies certificates is loaded where an identity is demanded, and not before", async () => {
  const sample = image([tar(file("motd"))]);
  await using registry = await startRegistry({ referrersOnPage: 2 });
  const name = stored(registry, "some/image", sample);
  const { digest } = sample.manifest.descriptor;
  const by = signer();
  storeSimpleSignings(registry, "some/image", digest, [{ payload: payloadOf(digest), by }]);
  const platform = "linux/amd64";
  await resolve(name, { platform });
  await resolve(name, { platform, trust: { keys: [by.pem] } });
  await using place = await scratch();
  const policy = join(place.directory, "policy.json");
  const signedIdentity = { type: "exactRepository", dockerRepository: "registry.example/app" };
  const keyData = Buffer.from(by.pem).toString("base64");
  await writeFile(policy, JSON.stringify({ default: [{ type: "sigstoreSigned", keyData, signedIdentity }] }));
  await resolve(name, { platform, trust: { policy } });
  assert.equal(isLoaded(), false);
  const identities = [{ identity: "somebody", issuer: "https://login.example" }];
  await assert.rejects(resolve(name, { platform, trust: { identities } }), {
    code: "SIGNATURE_INVALID",
    message: /it was signed with a key, not with a certificate/,
  });
  assert.equal(isLoaded(), true);
});
