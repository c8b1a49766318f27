import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { resolve } from "../../src/look/resolve.ts";
import { unpackKinds } from "../../src/operation/options.ts";
import { registrySource } from "../../src/registry/registry.ts";
import { image, stored } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { file, tar } from "../support/tar-builder.ts";
import { payloadOf, signer, storeBundle, storeSimpleSignings } from "./signing.ts";

// The rules that hold whatever is demanded, and wherever a signature is stored.

const sample = image([tar(file("etc/name", "signed"))]);
const { descriptor } = sample.manifest;
const { digest } = descriptor;
const repository = "some/image";
const platform = "linux/amd64";
const owner = signer();
const trust = { keys: [owner.pem] };

describe("V19: a manifest that is an index too is refused", () => {
  for (const what of ["the one with a bundle", "the one with simple signings"] as const) {
    test(`as ${what}`, async () => {
      await using registry = await startRegistry({ referrersOnPage: 2 });
      const name = stored(registry, repository, sample);
      if (what === "the one with a bundle") {
        storeBundle(registry, repository, descriptor, owner, { manifest: { manifests: [descriptor] } });
      } else {
        storeSimpleSignings(registry, repository, digest, [{ payload: payloadOf(digest), by: owner }]);
        const tag = `${digest.replace(":", "-")}.sig`;
        const { bytes = Buffer.alloc(0) } = registry.content.manifests.get(`${repository}:${tag}`) ?? {};
        const both = { ...JSON.parse(Buffer.from(bytes).toString()), manifests: [descriptor] };
        registry.addManifest(repository, tag, both);
      }
      await assert.rejects(resolve(name, { platform, trust }), { code: "INVALID_MANIFEST" });
    });
  }

  test("and one that is none is taken", async () => {
    await using registry = await startRegistry({ referrersOnPage: 2 });
    const name = stored(registry, repository, sample);
    storeBundle(registry, repository, descriptor, owner);
    assert.equal((await resolve(name, { platform, trust })).verified?.length, 1);
  });
});

test("V22: a login is for its own host, also where a bundle or a payload is somewhere else", async () => {
  await using elsewhere = await startRegistry();
  await using registry = await startRegistry({
    referrersOnPage: 2,
    access: { type: "basic", username: "reader", password: "secret" },
    content: elsewhere.content,
    redirectBlobs: (blob) => `${elsewhere.url}/v2/${repository}/blobs/${blob}`,
  });
  const name = stored(registry, repository, sample);
  storeBundle(registry, repository, descriptor, signer());
  storeSimpleSignings(registry, repository, digest, [{ payload: payloadOf(digest), by: owner }]);
  const asked: string[] = [];
  const credentials = async (host: string) => {
    asked.push(host);
    return host === registry.host ? { username: "reader", password: "secret" } : undefined;
  };
  await using source = registrySource({ credentials });
  assert.equal((await resolve(name, { platform, source, trust })).verified?.length, 1);
  assert.deepEqual([...new Set(asked)], [registry.host]);
  assert.ok(elsewhere.requests.length >= 2, "a bundle and a payload were somewhere else");
  assert.deepEqual(
    elsewhere.requests.filter(({ headers }) => headers.authorization !== undefined),
    [],
  );
});

test("V23: no option makes a demand that failed a warning", async () => {
  await using registry = await startRegistry({ referrersOnPage: 2 });
  const name = stored(registry, repository, sample);
  const flags = Object.entries(unpackKinds).flatMap(([option, kind]) => (kind.isOne(true) ? [option] : []));
  assert.ok(flags.includes("strict"));
  for (const option of flags) {
    for (const value of [true, false]) {
      await assert.rejects(resolve(name, { platform, trust, [option]: value }), (error: unknown) => {
        assert.ok(error instanceof Error && "code" in error);
        // The options of other verbs are refused as such.
        assert.ok(["SIGNATURE_MISSING", "INVALID_OPTION"].includes(String(error.code)), `${option}: ${error.message}`);
        return true;
      });
    }
  }
  await assert.rejects(resolve(name, { platform, strict: false, trust }), { code: "SIGNATURE_MISSING" });
});

test("V24: the decision and its evidence are in the result, and told as they are made", async () => {
  await using registry = await startRegistry({ referrersOnPage: 2 });
  const name = stored(registry, repository, sample);
  const stranger = signer();
  storeBundle(registry, repository, descriptor, stranger);
  const { digest: found } = storeBundle(registry, repository, descriptor, owner);
  const decisions: string[] = [];
  const { verified } = await resolve(name, {
    platform,
    trust,
    onEvent: (event) => {
      if (event.type === "decision" && event.topic === "signature") decisions.push(event.message);
    },
  });
  const [evidence, ...others] = verified ?? [];
  assert.deepEqual(others, []);
  assert.deepEqual([evidence?.digest, evidence?.of, evidence?.format], [found, "manifest", "bundle"]);
  assert.match(evidence?.key ?? "", /^sha256:[0-9a-f]{64}$/);
  assert.match(decisions.join("\n"), /does not count: another key made it\n.* is by the key sha256:\w+$/);
  assert.equal((await resolve(name, { platform })).verified, undefined, "nothing was demanded");
});
