import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { copy } from "../../src/copy/copy.ts";
import { list } from "../../src/look/list.ts";
import { resolve } from "../../src/look/resolve.ts";
import { registrySource } from "../../src/registry/registry.ts";
import { type Image, image, imageIndex, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { keyTypes, payloadOf, pemOf, type Signer, signer, storeBundle, storeSimpleSignings } from "./signing.ts";

const sample = image([tar(file("etc/name", "signed"))]);
const { descriptor } = sample.manifest;
const { digest } = descriptor;
const repository = "some/image";
const platform = "linux/amd64";
const owner = signer();
const stranger = signer();

interface Stage extends AsyncDisposable {
  readonly registry: RegistryDouble;
  readonly name: string;
  /** Resolves the image, which the owner, or whoever is named, has to have signed. */
  resolved(...keys: readonly Signer[]): ReturnType<typeof resolve>;
}

async function setStage(
  options: { readonly api?: boolean; readonly one?: Image; readonly onPage?: number } = {},
): Promise<Stage> {
  const { api = true, one = sample, onPage = 2 } = options;
  const registry = await startRegistry(api ? { referrersOnPage: onPage } : {});
  const name = stored(registry, repository, one);
  return {
    registry,
    name,
    resolved: (...keys) =>
      resolve(name, { platform, trust: { keys: (keys.length === 0 ? [owner] : keys).map(({ pem }) => pem) } }),
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

/** A key in PEM with a byte after it. */
function followed(pem: string): string {
  const key = Buffer.from(pem.split("-----")[2] ?? "", "base64");
  const longer = Buffer.concat([key, Buffer.from([0])]).toString("base64");
  return `-----BEGIN PUBLIC KEY-----\n${longer}\n-----END PUBLIC KEY-----\n`;
}

/** The reasons for which candidates do not count. */
async function reasons(resolving: Promise<unknown>): Promise<readonly string[]> {
  try {
    await resolving;
  } catch (error) {
    if (isOciUnpackError(error, "SIGNATURE_INVALID"))
      return error.details.signatures?.map(({ reason }) => reason) ?? [];
    throw error;
  }
  throw new Error("it was trusted");
}

describe("V18: signatures of every type of key are verified, in simple signings and in bundles", () => {
  for (const type of keyTypes) {
    test(type, async () => {
      const [own, other] = [signer(type), signer(type)];
      for (const by of [own, other]) {
        await using simple = await setStage();
        storeSimpleSignings(simple.registry, repository, digest, [{ payload: payloadOf(digest), by }]);
        await using bundled = await setStage();
        storeBundle(bundled.registry, repository, descriptor, by);
        for (const stage of [simple, bundled]) {
          if (by === own) assert.equal((await stage.resolved(own)).verified?.length, 1);
          else assert.deepEqual(await reasons(stage.resolved(own)), ["another key made it"]);
        }
      }
    });
  }

  for (const [type, hash] of [
    ["P-384", "sha384"],
    ["P-521", "sha512"],
  ] as const) {
    test(`${type} with its own hash ${hash}: in a bundle, and not in a simple signing`, async () => {
      const own = signer(type);
      await using stage = await setStage();
      storeSimpleSignings(stage.registry, repository, digest, [{ payload: payloadOf(digest), by: own, hash }]);
      assert.deepEqual(await reasons(stage.resolved(own)), ["another key made it"]);
      storeBundle(stage.registry, repository, descriptor, own, { hash });
      assert.equal((await stage.resolved(own)).verified?.[0]?.format, "bundle");
    });
  }

  const refused: Readonly<Record<string, readonly [pem: string, found: RegExp]>> = {
    "an RSA key of 1024 bits": [
      pemOf(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey),
      /is an RSA key of 1024 bits, 2048 are needed/,
    ],
    "a key on another curve": [
      pemOf(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey),
      /on the curve secp256k1/,
    ],
    "a private key": [
      owner.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      /has no public key but what is called PRIVATE KEY/,
    ],
    "two keys": [owner.pem + stranger.pem, /has 2 keys/],
    "what is not DER": [
      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
      /not a public key that can be read/,
    ],
    "one with bytes after it": [followed(owner.pem), /is not written as DER has it/],
  };
  for (const [what, [pem, message]] of Object.entries(refused)) {
    test(`${what} is refused as an option`, async () => {
      await using stage = await setStage();
      await assert.rejects(resolve(stage.name, { platform, trust: { keys: [pem] } }), {
        code: "INVALID_OPTION",
        message,
      });
      assert.deepEqual(stage.registry.requests, [], "nobody was asked");
    });
  }

  test("a signature that is not written in DER is told from that of another key", async () => {
    const payload = payloadOf(digest);
    const good = sign("sha256", Buffer.from(JSON.stringify(payload)), owner.privateKey);
    const [, , , length = 0] = good;
    const longer = Buffer.concat([Buffer.from([0x30, good.length - 1, 2, length + 1, 0]), good.subarray(4)]);
    const sloppy = [longer, Buffer.concat([good, Buffer.from([0])]), good.subarray(0, -1), Buffer.alloc(64, 1)];
    for (const signature of sloppy) {
      await using stage = await setStage();
      const signing = { payload, by: owner, signature: signature.toString("base64") };
      storeSimpleSignings(stage.registry, repository, digest, [signing]);
      assert.deepEqual(await reasons(stage.resolved()), ["its signature is not written in DER"]);
    }
  });

  test("a signature in base64 may have line ends, as openssl writes it and others read it", async () => {
    const payload = payloadOf(digest);
    const good = sign("sha256", Buffer.from(JSON.stringify(payload)), owner.privateKey).toString("base64");
    for (const [signature, isGood] of [
      [`${good.slice(0, 64)}\n${good.slice(64)}\r\n`, true],
      [`${good.slice(0, 64)} ${good.slice(64)}`, false],
    ] as const) {
      await using stage = await setStage();
      storeSimpleSignings(stage.registry, repository, digest, [{ payload, by: owner, signature }]);
      if (isGood) assert.equal((await stage.resolved()).verified?.length, 1);
      else assert.deepEqual(await reasons(stage.resolved()), ["it has no signature in base64"]);
    }
  });

  test("where trust is asked for and nothing demanded, that is told", async () => {
    await using stage = await setStage();
    const message = /trust: it demands nothing/;
    for (const trust of [{}, { keys: [] }]) {
      await assert.rejects(resolve(stage.name, { platform, trust }), { code: "INVALID_OPTION", message });
    }
  });

  test("a file that is not there, or no key, is refused by its name", async () => {
    await using stage = await setStage();
    const rejected = (path: string, message: RegExp) =>
      assert.rejects(resolve(stage.name, { platform, trust: { keys: [path] } }), { code: "INVALID_OPTION", message });
    await rejected("/nowhere/cosign.pub", /cannot read the key "\/nowhere\/cosign.pub"/);
    await rejected("/dev/null", /"\/dev\/null" is not PEM/);
    await rejected("/dev/zero", /cannot read "\/dev\/zero": it has more than 1048576 bytes/);
  });
});

test("V2: a signature counts for exactly the digest that it states", async () => {
  const others = [`sha256:${"0".repeat(64)}`, digest.slice(0, -1), digest.toUpperCase(), `${digest} `];
  for (const other of others) {
    await using stage = await setStage();
    storeSimpleSignings(stage.registry, repository, digest, [{ payload: payloadOf(other), by: owner }]);
    const [reason = ""] = await reasons(stage.resolved());
    assert.match(reason, /it is a signature of|is not a digest/);
  }
  await using stage = await setStage();
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ digest: { sha256: "0".repeat(64) } }],
    predicateType: "https://sigstore.dev/cosign/sign/v1",
  };
  storeBundle(stage.registry, repository, descriptor, owner, { statement });
  assert.deepEqual(await reasons(stage.resolved()), ["its statement is about something else"]);
});

test("V3: what was signed is parsed strictly: no key twice, and nothing critical that is unknown", async () => {
  const text = JSON.stringify(payloadOf(digest));
  const bad: readonly [payload: string, reason: RegExp][] = [
    [text.replace('"type"', '"type":"x","type"'), /has the key "type" twice/],
    [text.replace('"optional"', '"more"'), /has "more", of which nothing is known/],
    [JSON.stringify(payloadOf(digest, { expires: 5 })), /"critical": it has "expires"/],
    ["no JSON", /it is not JSON/],
  ];
  for (const [payload, reason] of bad) {
    await using stage = await setStage();
    storeSimpleSignings(stage.registry, repository, digest, [{ payload, by: owner }]);
    const [found = ""] = await reasons(stage.resolved());
    assert.match(found, reason);
  }
});

test("V3: a signature is one of the bytes as they came", async () => {
  await using stage = await setStage();
  const spaced = JSON.stringify(payloadOf(digest), undefined, 2);
  storeSimpleSignings(stage.registry, repository, digest, [{ payload: spaced, by: owner }]);
  assert.equal((await stage.resolved()).verified?.length, 1);
  const of = sign("sha256", Buffer.from(JSON.stringify(payloadOf(digest))), owner.privateKey).toString("base64");
  storeSimpleSignings(stage.registry, repository, digest, [{ payload: spaced, by: owner, signature: of }]);
  assert.deepEqual(await reasons(stage.resolved()), ["another key made it"]);
});

describe("V4: types are compared", () => {
  test("of a payload", async () => {
    await using stage = await setStage();
    const payload = payloadOf(digest, { type: "atomic container signature" });
    storeSimpleSignings(stage.registry, repository, digest, [{ payload, by: owner }]);
    const [reason = ""] = await reasons(stage.resolved());
    assert.match(reason, /its type is "atomic container signature"/);
  });

  const bundles = {
    "of an envelope's payload": [{ payloadType: "text/plain" }, /its payload is of the type "text\/plain"/],
    "of a statement": [{ statement: { _type: "x", subject: [], predicateType: "y" } }, /its _type is "x"/],
    "an envelope has exactly one signature": [
      { signatures: [{ sig: "AA==" }] },
      /has 2 signatures, and one is expected/,
    ],
    "of a bundle": [{ bytes: '{"mediaType":"application/json"}' }, /its media type is "application\/json"/],
    "a bundle that is no JSON": [{ bytes: "{" }, /JSON/],
  } as const;
  for (const [what, [changes, reason]] of Object.entries(bundles)) {
    test(what, async () => {
      await using stage = await setStage();
      storeBundle(stage.registry, repository, descriptor, owner, changes);
      const [found = ""] = await reasons(stage.resolved());
      assert.match(found, reason);
    });
  }

  test("a statement of the older version counts", async () => {
    await using stage = await setStage();
    const statement = {
      _type: "https://in-toto.io/Statement/v0.1",
      subject: [{ name: "app", digest: { sha256: digest.replace("sha256:", "") } }],
      predicateType: "https://sigstore.dev/cosign/sign/v1",
    };
    storeBundle(stage.registry, repository, descriptor, owner, { statement });
    assert.equal((await stage.resolved()).verified?.length, 1);
  });
});

test("V6: an attestation is no signature", async () => {
  await using stage = await setStage();
  storeBundle(stage.registry, repository, descriptor, owner, { predicateType: "https://slsa.dev/provenance/v1" });
  assert.deepEqual(await reasons(stage.resolved()), [
    'it attests "https://slsa.dev/provenance/v1", and is no signature',
  ]);
  await assert.rejects(stage.resolved(), { hint: /^demand the attestation by its type \(`trust\.attestations`\)/ });
});

describe("V7: the manifest that has a bundle says itself what it is", () => {
  const wrong: Readonly<Record<string, object>> = {
    "of another image": { subject: { ...descriptor, digest: `sha256:${"1".repeat(64)}` } },
    "of another type": { artifactType: "application/example" },
    "with two layers": { layers: [descriptor, descriptor] },
  };
  for (const [what, manifest] of Object.entries(wrong)) {
    test(`one ${what} does not count, whatever a listing says`, async () => {
      await using stage = await setStage({ api: false });
      const found = storeBundle(stage.registry, repository, descriptor, owner, { manifest });
      stage.registry.addManifest(repository, digest.replace(":", "-"), { schemaVersion: 2, manifests: [found] });
      await assert.rejects(stage.resolved(), { code: "SIGNATURE_MISSING" });
    });
  }

  test("without an API, the tag that stands for it lists bundles, of a type that says nothing", async () => {
    for (const artifactType of [undefined, "application/vnd.oci.empty.v1+json"]) {
      await using stage = await setStage({ api: false });
      const found = storeBundle(stage.registry, repository, descriptor, owner);
      const listed = artifactType === undefined ? found : { ...found, artifactType };
      stage.registry.addManifest(repository, digest.replace(":", "-"), { schemaVersion: 2, manifests: [listed] });
      assert.equal((await stage.resolved()).verified?.[0]?.format, "bundle");
    }
  });

  test("an answer of the API is final: that tag is not asked for then", async () => {
    await using stage = await setStage();
    const found = storeBundle(stage.registry, "another/repository", descriptor, owner);
    stage.registry.addManifest(repository, digest.replace(":", "-"), { schemaVersion: 2, manifests: [found] });
    await assert.rejects(stage.resolved(), { code: "SIGNATURE_MISSING" });
    assert.ok(!stage.registry.requests.some(({ path }) => path.endsWith(digest.replace(":", "-"))));
  });

  test("all pages are read", async () => {
    await using stage = await setStage({ onPage: 1 });
    for (let count = 0; count < 4; count += 1) storeBundle(stage.registry, repository, descriptor, signer());
    storeBundle(stage.registry, repository, descriptor, owner);
    assert.equal((await stage.resolved()).verified?.length, 1);
  });

  test("a page at another host is an error, and that host is not asked", async () => {
    await using other = await startRegistry();
    await using stage = await setStage();
    stage.registry.always(/referrers/, (reply) => ({
      ...reply,
      headers: { ...reply.headers, link: `<${other.url}/v2/x>; rel="next"` },
    }));
    await assert.rejects(stage.resolved(), { code: "REGISTRY_ERROR", message: /whose next page is at/ });
    assert.deepEqual(other.requests, []);
  });
});

describe("V7: what a registry can size has limits", () => {
  const limits: Readonly<Record<string, (stage: Stage) => void>> = {
    referrers: ({ registry }) => {
      for (let count = 0; count < 3; count += 1) storeBundle(registry, repository, descriptor, signer());
    },
    referrersPages: ({ registry }) => {
      for (let count = 0; count < 6; count += 1) storeBundle(registry, repository, descriptor, signer());
    },
    referrersBytes: ({ registry }) => void storeBundle(registry, repository, descriptor, owner),
    signatures: ({ registry }) => {
      const signings = Array.from({ length: 3 }, () => ({ payload: payloadOf(digest), by: owner }));
      storeSimpleSignings(registry, repository, digest, signings);
    },
    signatureBytes: ({ registry }) => {
      storeSimpleSignings(registry, repository, digest, [{ payload: payloadOf(digest), by: owner }]);
    },
  };
  for (const [limit, prepare] of Object.entries(limits)) {
    test(limit, async () => {
      await using stage = await setStage();
      prepare(stage);
      const trust = { keys: [owner.pem] };
      const resolving = resolve(stage.name, { platform, trust, limits: { [limit]: 2 } });
      await assert.rejects(resolving, {
        code: "LIMIT_EXCEEDED",
        message: new RegExp(`\\(${limit}\\)|${limit}|on more than 2 pages|more than 2 bytes`),
      });
    });
  }
});

describe("V8: an error while signatures are fetched is an error, not an image without them", () => {
  for (const [what, path] of Object.entries({
    "of the listing": /referrers/,
    "of the tag": /\.sig$/,
  })) {
    test(what, async () => {
      await using stage = await setStage();
      stage.registry.always(path, (reply) => ({ ...reply, status: 403 }));
      await assert.rejects(stage.resolved(), { code: "FORBIDDEN" });
    });
  }

  test("the first good signature ends the search", async () => {
    await using stage = await setStage();
    storeBundle(stage.registry, repository, descriptor, owner);
    stage.registry.always(/\.sig$/, (reply) => ({ ...reply, status: 500 }));
    assert.equal((await stage.resolved()).verified?.length, 1);
  });
});

test("V9: any of several keys is enough, and one of several signatures", async () => {
  await using stage = await setStage();
  storeSimpleSignings(stage.registry, repository, digest, [
    { payload: payloadOf(digest), by: stranger },
    { payload: payloadOf(digest), by: owner },
  ]);
  assert.equal((await stage.resolved(signer(), owner)).verified?.length, 1);
  assert.deepEqual(await reasons(stage.resolved(signer(), signer())), Array(2).fill("none of the 2 keys made it"));
});

test("V20: a mirror that lists nothing has not answered: the registry itself is asked", async () => {
  await using stage = await setStage();
  await using mirror = await startRegistry({ referrersOnPage: 2 });
  stored(mirror, repository, sample);
  storeBundle(stage.registry, repository, descriptor, owner);
  const endpoints = [mirror, stage.registry].map(({ url }, index) => ({
    baseUrl: `${url}/v2`,
    resolvesTags: index === 1,
    servesDigests: true,
  }));
  await using source = registrySource({ endpoints: async () => endpoints });
  const { verified } = await resolve(stage.name, { platform, source, trust: { keys: [owner.pem] } });
  assert.equal(verified?.length, 1);
});

describe("V25: an index's signature covers its manifests", () => {
  const index = imageIndex([sample]);

  async function indexed(): Promise<Stage> {
    const stage = await setStage();
    stage.registry.addManifest(repository, "latest", index.bytes, index.descriptor.mediaType);
    return stage;
  }

  test("one of the index is enough, and the result says so", async () => {
    await using stage = await indexed();
    storeSimpleSignings(stage.registry, repository, index.descriptor.digest, [
      { payload: payloadOf(index.descriptor.digest), by: owner },
    ]);
    const { verified = [] } = await stage.resolved();
    assert.deepEqual(
      verified.map(({ of, format }) => [of, format]),
      [["index", "simple-signing"]],
    );
  });

  test("and so is one of the manifest that was chosen", async () => {
    await using stage = await indexed();
    storeBundle(stage.registry, repository, descriptor, owner);
    const { verified = [] } = await stage.resolved();
    assert.deepEqual(
      verified.map(({ of, format }) => [of, format]),
      [["manifest", "bundle"]],
    );
  });

  test("a copy of all platforms is one of the index", async () => {
    await using stage = await indexed();
    await using place = await scratch();
    storeSimpleSignings(stage.registry, repository, index.descriptor.digest, [
      { payload: payloadOf(index.descriptor.digest), by: owner },
    ]);
    const copied = (by: Signer) =>
      copy(stage.name, join(place.directory, "copy"), { allPlatforms: true, trust: { keys: [by.pem] } });
    await assert.rejects(copied(stranger), { code: "SIGNATURE_INVALID" });
    const { verified = [] } = await copied(owner);
    assert.deepEqual(
      verified.map(({ of }) => of),
      ["index"],
    );
  });

  test("but not one of another manifest", async () => {
    await using stage = await indexed();
    const other = image([tar(file("another"))]);
    stored(stage.registry, "another/image", other);
    storeBundle(stage.registry, repository, other.manifest.descriptor, owner);
    await assert.rejects(stage.resolved(), { code: "SIGNATURE_MISSING" });
  });
});

test("V26: every candidate is told with its own reason, and what is missing is told from what is wrong", async () => {
  await using stage = await setStage();
  await assert.rejects(stage.resolved(), {
    code: "SIGNATURE_MISSING",
    message: /a signature of sha256:\w+ by the key sha256:\w+ is demanded, and there is none$/,
  });
  storeSimpleSignings(stage.registry, repository, digest, [
    { payload: payloadOf(digest), by: stranger },
    { payload: payloadOf(`sha256:${"2".repeat(64)}`), by: owner },
    { payload: payloadOf(digest), by: owner, signature: "no base64" },
  ]);
  assert.deepEqual(await reasons(stage.resolved()), [
    "another key made it",
    `it is a signature of sha256:${"2".repeat(64)}`,
    "it has no signature in base64",
  ]);
  await assert.rejects(stage.resolved(), {
    message: /does not count: it is a signature of sha256:2+ \(and 2 more do not count\)$/,
  });
});

test("a signature of a format that is not supported is named", async () => {
  await using stage = await setStage();
  storeBundle(stage.registry, repository, descriptor, owner, {
    manifest: { artifactType: "application/vnd.cncf.notary.signature" },
  });
  await assert.rejects(stage.resolved(), {
    code: "SIGNATURE_MISSING",
    message: /there is none but of notation, which is not supported$/,
  });
});

test("V1: the tag is asked for once, and nothing of a layer before the signature is verified", async () => {
  await using stage = await setStage();
  storeSimpleSignings(stage.registry, repository, digest, [{ payload: payloadOf(digest), by: stranger }]);
  const looking = list(stage.name, "/", { platform, trust: { keys: [owner.pem] } });
  await assert.rejects(looking, { code: "SIGNATURE_INVALID" });
  const asked = stage.registry.requests.map(({ path }) => path);
  assert.equal(asked.filter((path) => path.endsWith("/manifests/latest")).length, 1);
  assert.ok(!asked.some((path) => path.endsWith(sample.layers[0]?.descriptor.digest ?? "")));
});

test("a key costs three requests where the registry lists referrers, and four where it does not", async () => {
  const counts: number[] = [];
  for (const api of [true, false]) {
    for (const format of ["bundle", "simple-signing"]) {
      await using plain = await setStage({ api });
      await resolve(plain.name, { platform });
      await using stage = await setStage({ api });
      if (format === "simple-signing") {
        storeSimpleSignings(stage.registry, repository, digest, [{ payload: payloadOf(digest), by: owner }]);
      } else {
        const found = storeBundle(stage.registry, repository, descriptor, owner);
        stage.registry.addManifest(repository, digest.replace(":", "-"), { schemaVersion: 2, manifests: [found] });
      }
      await stage.resolved();
      counts.push(stage.registry.requests.length - plain.registry.requests.length);
    }
  }
  // As the table in bench/README.md has it.
  assert.deepEqual(counts, [3, 3, 4, 4]);
});
