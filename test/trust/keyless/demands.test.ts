import assert from "node:assert/strict";
import { sign } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isOciUnpackError } from "../../../src/base/errors.ts";
import type { OciUnpackEvent } from "../../../src/base/events.ts";
import { resolve } from "../../../src/look/resolve.ts";
import type { TrustOptions } from "../../../src/trust/options.ts";
import { image, stored } from "../../support/image.ts";
import { ociUnpack } from "../../support/oci-unpack.ts";
import { startRegistry } from "../../support/registry-double.ts";
import { scratch } from "../../support/scratch.ts";
import { file, tar } from "../../support/tar-builder.ts";
import { signer as keySigner, payloadOf, pemOf, storeBundle, storeSimpleSignings } from "../signing.ts";
import { annotationsOf, bundleWith, Instance, logEntry, signedStatement, usual } from "./instance.ts";

// Identities and trusted roots as options of the library and of the command.

const instance = new Instance();
const repository = "some/image";
const platform = "linux/amd64";
const sample = image([tar(file("etc/name", "signed"))]);
const { descriptor } = sample.manifest;
const { digest } = descriptor;

/** A registry that has an image with a signature by a certificate, and a file with the trusted root. */
async function stage(format: "bundle" | "simple-signing" | "nothing" = "bundle") {
  const registry = await startRegistry({ referrersOnPage: 2 });
  const place = await scratch();
  const name = stored(registry, repository, sample);
  const root = join(place.directory, "trusted_root.json");
  await writeFile(root, JSON.stringify(instance.document()));
  const signer = instance.signer();
  const by = { privateKey: signer.pair.privateKey, pem: pemOf(signer.pair.publicKey), hash: "sha256" };
  if (format === "bundle") {
    const signed = signedStatement(digest, signer);
    const bytes = bundleWith(signed, { entries: [logEntry(signed, { kind: "dsse", log: instance.rekor })] });
    storeBundle(registry, repository, descriptor, by, { bytes: bytes.toString("utf8") });
  }
  if (format === "simple-signing") {
    const payload = Buffer.from(JSON.stringify(payloadOf(digest)));
    const signature = sign("sha256", payload, signer.pair.privateKey);
    const entry = logEntry(
      { data: payload, payload, signature, by: signer },
      { kind: "hashedrekord", log: instance.rekor },
    );
    const annotations = annotationsOf(signature, { certificate: signer, entry });
    storeSimpleSignings(registry, repository, digest, [{ payload: payload.toString("utf8"), by, annotations }]);
  }
  return {
    registry,
    name,
    root,
    path: (part: string) => join(place.directory, part),
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

const signedAt = Date.UTC(2025, 5, 1, 12) / 1000;

describe("an identity is demanded", () => {
  for (const format of ["bundle", "simple-signing"] as const) {
    test(`of a ${format}: the result says who signed, for whom somebody vouched, and when`, async () => {
      await using made = await stage(format);
      const trust = { identities: [usual], trustedRoot: made.root };
      const { verified = [] } = await resolve(made.name, { platform, trust });
      const [{ digest: found, ...rest } = { digest: "" }] = verified;
      assert.match(found, /^sha256:/);
      assert.deepEqual(rest, { of: "manifest", format, ...usual, loggedAtSeconds: signedAt });
    });
  }

  test("V10: another's signature is IDENTITY_MISMATCH, which tells whose it is; one of several identities is enough", async () => {
    await using made = await stage();
    const trustedRoot = made.root;
    const other = { ...usual, identity: "me@a.example" };
    const refusing = resolve(made.name, { platform, trust: { identities: [other], trustedRoot } });
    await assert.rejects(refusing, {
      code: "IDENTITY_MISMATCH",
      message:
        /by "me@a\.example", for whom "https:\/\/login\.example" vouches, is demanded, .*it was signed by "https:\/\/builds/,
    });
    await resolve(made.name, { platform, trust: { identities: [other, usual], trustedRoot } });
  });

  test("V10: and so it is where a key signed as well", async () => {
    await using made = await stage("simple-signing");
    storeBundle(made.registry, repository, descriptor, keySigner());
    const trust = { identities: [{ ...usual, identity: "me@a.example" }], trustedRoot: made.root };
    await assert.rejects(resolve(made.name, { platform, trust }), {
      code: "IDENTITY_MISMATCH",
      message: /it was signed by "https:\/\/builds.* \(and 1 more does not count\)$/,
    });
  });

  test("by the public instance's root the certificate of another does not count", async () => {
    await using made = await stage();
    await assert.rejects(resolve(made.name, { platform, trust: { identities: [usual] } }), {
      code: "SIGNATURE_INVALID",
      message: /no authority of the trusted root issued its certificate/,
    });
  });

  test("where nothing is signed, the signature is missing", async () => {
    await using made = await stage("nothing");
    const trust = { identities: [usual], trustedRoot: made.root };
    await assert.rejects(resolve(made.name, { platform, trust }), { code: "SIGNATURE_MISSING" });
  });

  test("a decision says which root counts, that of the public instance with its date", async () => {
    await using made = await stage();
    const decisions = async (trust: TrustOptions) => {
      const said: string[] = [];
      const onEvent = (event: OciUnpackEvent) => {
        if (event.type === "decision" && event.topic === "signature") said.push(event.message);
      };
      await resolve(made.name, { platform, trust, onEvent }).catch((error) => assert.ok(isOciUnpackError(error)));
      return said.join("\n");
    };
    const identities = [usual];
    assert.match(await decisions({ identities }), /trusted root of the public Sigstore instance of 20\d\d-\d\d-\d\d$/m);
    const own = await decisions({ identities, trustedRoot: made.root });
    assert.match(own, /the trusted root ".*trusted_root\.json"$/m);
    assert.match(own, /is by "https:\/\/builds/);
  });
});

describe("a trusted root, or an identity, that cannot be used is an error in the option, and nobody is asked", () => {
  const document = instance.document();
  const roots: Readonly<Record<string, string>> = {
    "no JSON": "{",
    "no media type": "{}",
    "another document": JSON.stringify({ mediaType: "application/json" }),
    "of another version": JSON.stringify({
      ...document,
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=9",
    }),
    "a key that is none": JSON.stringify({
      ...document,
      tlogs: [{ publicKey: { rawBytes: "AAAA", validFor: { start: signedAt } } }],
    }),
    "a certificate that is none": JSON.stringify({
      ...document,
      certificateAuthorities: [{ certChain: { certificates: [{ rawBytes: "AAAA" }] }, validFor: { start: signedAt } }],
    }),
    "no authority": JSON.stringify({ ...document, certificateAuthorities: [] }),
    "a key twice": JSON.stringify(document).replace('"tlogs":', '"tlogs":[],"tlogs":'),
    "too large": JSON.stringify(document) + " ".repeat(1024 * 1024),
  };
  for (const [title, text] of Object.entries(roots)) {
    test(title, async () => {
      await using made = await stage();
      await writeFile(made.root, text);
      const trust = { identities: [usual], trustedRoot: made.root };
      await assert.rejects(resolve(made.name, { platform, trust }), {
        code: "INVALID_OPTION",
        message: /"[^"]*trusted_root\.json"/,
      });
      assert.equal(made.registry.requests.length, 0);
    });
  }

  test("a file that is not there; a root for nobody, or for a key and without a log; half an identity", async () => {
    await using made = await stage();
    const keys = [pemOf(instance.rekor.publicKey)];
    const logless = made.path("logless.json");
    await writeFile(logless, JSON.stringify(instance.document({ tlogs: [] })));
    const wrong: readonly TrustOptions[] = [
      { identities: [usual], trustedRoot: made.path("missing") },
      { trustedRoot: made.root },
      { keys, trustedRoot: logless },
      { identities: [{ identity: "a" }] },
      { identities: [{}] },
    ];
    for (const trust of wrong) {
      await assert.rejects(resolve(made.name, { platform, trust }), { code: "INVALID_OPTION" });
    }
    assert.equal(made.registry.requests.length, 0);
  });
});

describe("the command", () => {
  const { identity, issuer } = usual;

  test("takes an identity and a trusted root, exactly or by expressions, and leaves nothing where it is another's", async () => {
    await using made = await stage();
    const common = ["-p", platform, "--plain-http", "--trusted-root", made.root];
    const exact = ["--certificate-identity", identity, "--certificate-oidc-issuer", issuer];
    const good = await ociUnpack(["--json", ...common, ...exact, made.name, made.path("good")]);
    assert.equal(good.status, 0, good.stderr);
    assert.equal(JSON.parse(good.stdout).verified[0].identity, identity);
    const expressions = [
      "--certificate-identity-regexp",
      ".*/app@.*",
      "--certificate-oidc-issuer-regexp",
      "https://.*",
    ];
    const matching = await ociUnpack([...common, ...expressions, made.name, made.path("matching")]);
    assert.equal(matching.status, 0, matching.stderr);
    const partly = ["--certificate-identity-regexp", "app", "--certificate-oidc-issuer", issuer];
    const bad = await ociUnpack([...common, ...partly, made.name, made.path("bad")]);
    assert.equal(bad.status, 1);
    assert.match(bad.stderr, /^error: cannot trust .*it was signed by "https:\/\/builds\.example\/app@main"/m);
  });

  test("one option of a pair without the other is an error in usage", async () => {
    for (const args of [
      ["--certificate-identity", identity],
      ["--certificate-oidc-issuer", issuer],
      ["--certificate-identity-regexp", "x"],
      ["--certificate-identity", identity, "--certificate-identity-regexp", "x", "--certificate-oidc-issuer", issuer],
    ]) {
      const { status, stderr } = await ociUnpack([...args, "image", "directory"]);
      assert.equal(status, 2);
      assert.match(stderr, /^error: cannot demand an identity: /);
    }
  });
});
