import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { type DocumentClaims, isCandidate, type Manifest, parseDocument } from "../../src/oci/document.ts";

const ociIndex = "application/vnd.oci.image.index.v1+json";
const ociManifest = "application/vnd.oci.image.manifest.v1+json";
const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

const digest = `sha256:${"ab".repeat(32)}`;
const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 };
const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest, size: 7 };
const manifest = { schemaVersion: 2, config, layers: [layer] };
const index = { schemaVersion: 2, manifests: [{ mediaType: ociManifest, digest, size: 3 }] };

test("R-33: a manifest of more than 10,000 layers is refused, as is an index of more manifests", () => {
  const many = (count: number, each: object) => Array.from({ length: count }, () => each);
  assert.equal(kindOf({ ...manifest, layers: many(10_000, layer) }), "manifest");
  assert.equal(kindOf({ ...index, manifests: many(10_000, index.manifests[0] ?? {}) }), "index");
  for (const document of [
    { ...manifest, layers: many(10_001, layer) },
    { ...index, manifests: many(10_001, index.manifests[0] ?? {}) },
  ]) {
    assert.throws(() => kindOf(document), { code: "INVALID_MANIFEST", message: /more than 10000$/ });
  }
});

test("R-31: a Content-Type's parameters and case mean nothing", () => {
  assert.equal(kindOf(manifest, `${ociManifest.toUpperCase()}; charset=utf-8`), "manifest");
});

test("R-31: where the Content-Type says nothing, the document's own type counts", () => {
  for (const vague of [
    "",
    "application/json",
    "text/plain; charset=utf-8",
    "application/octet-stream",
    "binary/octet-stream",
  ]) {
    assert.equal(
      read({ ...manifest, mediaType: dockerManifest }, { contentType: vague }).mediaType,
      dockerManifest,
      vague,
    );
    assert.equal(read({ ...index, mediaType: dockerList }, { contentType: vague }).mediaType, dockerList, vague);
  }
});

test("R-31: where nobody states a type, the members do", () => {
  assert.equal(read(manifest).mediaType, ociManifest);
  assert.equal(read(index).mediaType, ociIndex);
  assert.match(refusal("INVALID_MANIFEST", {}), /it is neither a manifest nor an index/);
});

test("R-31: a Content-Type that is no manifest's is refused by name, before its body is read", () => {
  const message = 'cannot read the manifest: its media type is "text/html"';
  assert.equal(refusal("UNSUPPORTED_MEDIA_TYPE", "<html>Sign in", { contentType: "text/html" }), message);
});

test("R-32: a document's own type must be its Content-Type", () => {
  const other = { ...manifest, mediaType: dockerManifest };
  const message = `cannot read the manifest: its type is stated as "${ociManifest}" and as "${dockerManifest}"`;
  assert.equal(refusal("INVALID_MANIFEST", other, { contentType: ociManifest }), message);
});

test("R-32: the type in the descriptor must be the document's and the Content-Type", () => {
  const claims = { contentType: "", descriptorType: ociManifest };
  refusal("INVALID_MANIFEST", { ...manifest, mediaType: dockerManifest }, claims);
  refusal("INVALID_MANIFEST", manifest, { ...claims, contentType: dockerManifest });
  assert.equal(read({ ...manifest, mediaType: ociManifest }, { ...claims, contentType: ociManifest }).kind, "manifest");
});

test("R-32, security 7: a document that is index and manifest at once is refused, whoever calls it what", () => {
  for (const both of [
    { ...manifest, ...index },
    { ...index, config },
    { ...index, layers: [] },
    { ...index, fsLayers: [] },
    { ...manifest, fsLayers: [] },
  ]) {
    for (const mediaType of [ociManifest, ociIndex, undefined]) {
      assert.match(refusal("INVALID_MANIFEST", { ...both, mediaType }), /it has the members of/);
    }
  }
});

test("R-32: a document must have the members of its type", () => {
  const found = `cannot read the manifest: its type is "${ociIndex}", its members are those of a manifest`;
  assert.equal(refusal("INVALID_MANIFEST", { ...manifest, mediaType: ociIndex }), found);
  refusal("INVALID_MANIFEST", index, { contentType: ociManifest });
  assert.match(refusal("INVALID_MANIFEST", { mediaType: ociManifest }), /it has no "config"/);
});

test("R-32: a key that stands twice is refused", () => {
  assert.match(refusal("INVALID_MANIFEST", '{"manifests":[],"manifests":[]}'), /it has the key "manifests" twice/);
});

test("R-32: members are found as Go finds them, in upper or lower case", () => {
  const written = JSON.stringify({ ...manifest, annotations: { a: "1", A: "2" } });
  const whole = { ...read(manifest), annotations: { a: "1", A: "2" } };
  assert.deepEqual(read(written.replace("layers", "Layers").replace("digest", "DIGEST")), whole);
  assert.deepEqual(read(written.replace("layers", "layer\u017f").replace('"config"', '"ConfiG"')), whole);
  assert.equal(kindOf(JSON.parse(JSON.stringify(index).replace("manifests", "MANIFESTS"))), "index");
});

test("R-32: a document with two keys that differ in case alone is refused: Go obeys the last, others the one that they know", () => {
  const twice = (text: string, from: string, to: string) =>
    assert.match(refusal("INVALID_MANIFEST", text.replace(from, to)), /twice, in upper and lower case$/, to);
  const [one, several] = [JSON.stringify(manifest), JSON.stringify(index)];
  twice(one, '"layers":', '"layers":[],"Layers":');
  twice(one, '"layers":', '"Layers":[],"layers":');
  twice(one, '"layers":', '"layer\u017f":[],"layers":');
  twice(one, '"layers":', '"layer\\u017f":[],"layers":');
  twice(one, '"config":', '"CONFIG":{},"config":');
  twice(one, '"digest":', `"Digest":"${digest}","digest":`);
  twice(one, "{", '{"MediaType":"","mediaType":"",');
  twice(several, '"manifests":', '"manife\u017ft\u017f":[],"manifests":');
  twice(several, '"digest":', '"platform":{"os":"linux","OS":"windows"},"digest":');
  twice(one, "{", '{"whatever":1,"Whatever":2,');
  twice(one, "{", '{"bac\u212aup":1,"backup":2,');
});

test("what is a letter's like elsewhere only is another key", () => {
  // Turkish capitals, ligatures, fullwidth letters: simple case folding makes none of them ASCII.
  for (const key of ["d\u0131gest", "D\u0130GEST", "\uff4cayers", "con\ufb01g", "layer\u00df"]) {
    read(JSON.stringify(manifest).replace("{", `{${JSON.stringify(key)}:5,`));
  }
});

test("a null where a map or a list has something else is what Go makes of it", () => {
  assert.deepEqual(read({ ...manifest, annotations: { a: null } }).annotations, { a: "" });
  assert.match(refusal("INVALID_MANIFEST", { ...manifest, layers: [null] }), /"layers\[0\]": it has no "digest"$/);
  assert.match(refusal("INVALID_MANIFEST", "null"), /it is neither a manifest nor an index$/);
});

test("null is absent, as Go programs write it", () => {
  const written = {
    ...manifest,
    layers: null,
    manifests: null,
    mediaType: null,
    annotations: null,
    artifactType: null,
  };
  assert.deepEqual(read(written), {
    kind: "manifest",
    mediaType: ociManifest,
    config: { mediaType: config.mediaType, digest, sizeBytes: 2 },
    layers: [],
  });
  assert.deepEqual(read({ mediaType: ociIndex, manifests: null }), {
    kind: "index",
    mediaType: ociIndex,
    manifests: [],
  });
});

test("R-38: schema 1 is refused by its name, however it is served", () => {
  const schema1 = {
    schemaVersion: 1,
    name: "library/old",
    fsLayers: [{ blobSum: digest }],
    history: [],
    signatures: [],
  };
  const signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";
  for (const contentType of ["", "application/json", signed, "application/vnd.docker.distribution.manifest.v1+json"]) {
    const message = "cannot read the manifest: it has Docker's schema 1";
    assert.equal(refusal("UNSUPPORTED_MEDIA_TYPE", schema1, { contentType }), message, contentType);
  }
});

test("a schemaVersion is 2 or absent", () => {
  assert.equal(kindOf({ config, layers: [] }), "manifest");
  refusal("INVALID_MANIFEST", { ...manifest, schemaVersion: 3 });
  refusal("INVALID_MANIFEST", { ...manifest, schemaVersion: "2" });
});

test("R-39: entries and layers of unknown type stay in the document", () => {
  const mediaType = "application/vnd.example.unheard+json";
  const listed = read({ manifests: [{ ...config, mediaType }] });
  assert.equal(listed.kind === "index" && listed.manifests[0]?.mediaType, mediaType);
  const layered = read({ config, layers: [{ ...layer, mediaType }] });
  assert.equal(layered.kind === "manifest" && layered.layers[0]?.mediaType, mediaType);
});

test("R-36: an attestation, known by its annotation or by its platform, is no candidate", () => {
  const entry = { mediaType: ociManifest, digest, size: 3 };
  const read = entriesOf([
    { ...entry, platform: { os: "unknown", architecture: "unknown" } },
    { ...entry, annotations: { "vnd.docker.reference.type": "attestation-manifest" } },
    { ...entry, platform: { os: "linux", architecture: "amd64" } },
    { ...entry, annotations: { constructor: "attestation-manifest" } },
    { ...entry, platform: {} },
  ]);
  assert.deepEqual(read.map(isCandidate), [false, false, true, true, true]);
});

test("an index's platforms are normalised", () => {
  const platform = { os: "Linux", architecture: "aarch64", variant: "v8", "os.version": "1", "os.features": ["x"] };
  const [entry] = entriesOf([{ mediaType: ociManifest, digest, size: 3, platform }]);
  assert.deepEqual(entry?.platform, { os: "linux", architecture: "arm64", osVersion: "1", osFeatures: ["x"] });
});

test("R-5, security 8: a digest that could leave its place in a URL or on a disk is refused", () => {
  const traversals = [
    "sha256:../../../../etc/passwd",
    `sha256:${"AB".repeat(32)}`,
    "sha256:ab",
    "",
    "ab",
    `${digest}/..`,
    `${digest}?x`,
  ];
  for (const hostile of traversals) {
    const message = `cannot read the manifest: "layers[0].digest": "${hostile}" is not a digest`;
    assert.equal(refusal("INVALID_MANIFEST", { config, layers: [{ ...layer, digest: hostile }] }), message);
  }
});

test("R-5: a digest of an unknown algorithm parses", () => {
  const unknown = "blake3:1234";
  assert.equal((read({ config, layers: [{ ...layer, digest: unknown }] }) as Manifest).layers[0]?.digest, unknown);
});

test("a size is a whole number that JavaScript can hold", () => {
  for (const size of ["-1", "1.5", "1e400", "9007199254740992", "18446744073709551616", '"7"', "true", "[7]", "null"]) {
    refusal(
      "INVALID_MANIFEST",
      `{"config":${JSON.stringify(config)},"layers":[{"digest":"${digest}","size":${size}}]}`,
    );
  }
  assert.equal(
    (read({ config: { ...config, size: 2 ** 53 - 1 }, layers: [] }) as Manifest).config.sizeBytes,
    2 ** 53 - 1,
  );
});

test("R-41: inline content is decoded, and must be base64 of at most a mebibyte", () => {
  const withData = (data: unknown) => ({ config: { ...config, data }, layers: [] });
  assert.deepEqual((read(withData("e30=")) as Manifest).config.data, Buffer.from("{}"));
  for (const data of ["e30", "e3 0=", "e30=\n", "%%%%", "e31=", 5]) refusal("INVALID_MANIFEST", withData(data));
  assert.match(refusal("INVALID_MANIFEST", withData(Buffer.alloc(2 ** 20 + 1).toString("base64"))), /1048577 bytes/);
});

test("a member of the wrong type is named with its place", () => {
  const wrong: readonly (readonly [unknown, string])[] = [
    [[], "[] is not an object"],
    ["text", '"text" is not an object'],
    [{ manifests: {} }, '"manifests": {} is not a list'],
    [{ manifests: [5] }, '"manifests[0]": 5 is not an object'],
    [{ manifests: [{}] }, '"manifests[0]": it has no "digest"'],
    [{ config: [], layers: [] }, '"config": [] is not an object'],
    [{ config: { ...config, mediaType: 1 } }, '"config.mediaType": 1 is not a string'],
    [{ config, layers: [layer, { digest: 7 }] }, '"layers[1].digest": 7 is not a string'],
    [{ config: { ...config, annotations: { a: 1 } } }, '"config.annotations.a": 1 is not a string'],
    [{ config: { ...config, urls: ["x", 1] } }, '"config.urls[1]": 1 is not a string'],
    [{ manifests: [{ ...config, platform: "linux" }] }, '"manifests[0].platform": "linux" is not an object'],
    [{ manifests: [{ ...config, platform: { os: 1 } }] }, '"manifests[0].platform.os": 1 is not a string'],
  ];
  for (const [document, found] of wrong) {
    const text = JSON.stringify(document);
    assert.equal(refusal("INVALID_MANIFEST", text), `cannot read the manifest: ${found}`, text);
  }
});

test("members called like inherited ones are members like any other", () => {
  const inherited = { toString: 1, constructor: 2, hasOwnProperty: 3, valueOf: 4 };
  assert.equal(kindOf({ ...inherited, ...manifest }), "manifest");
  const hostile = `{"config":${JSON.stringify(config)},"layers":[],"__proto__":{"manifests":[]},"annotations":{"__proto__":"x"}}`;
  const { annotations = {} } = read(hostile);
  assert.deepEqual(Object.entries(annotations), [["__proto__", "x"]]);
  assert.equal(Object.getPrototypeOf(annotations), Object.prototype);
});

test("a polluted prototype adds nothing to a document", () => {
  Object.defineProperty(Object.prototype, "manifests", { value: [], configurable: true });
  try {
    assert.equal(kindOf(manifest), "manifest");
  } finally {
    Reflect.deleteProperty(Object.prototype, "manifests");
  }
});

test("an index of more entries than anyone needs is refused", () => {
  const manifests = Array.from({ length: 10_001 }, () => ({ digest, size: 1 }));
  assert.match(refusal("INVALID_MANIFEST", { manifests }), /it lists 10001 manifests/);
});

test("a message stays short, whatever the document holds", () => {
  const long = "x".repeat(1_000_000);
  for (const document of [
    { mediaType: long, ...manifest },
    { config: { ...config, digest: long } },
    { config, layers: [{ [long]: 1 }] },
    { config: long },
    { config: { ...config, annotations: { [long]: 1 } } },
    `{"${long}":1,"${long}":2}`,
  ]) {
    assert.ok(outcome(document).length < 1000);
  }
});

test("whatever bytes come, the answer is a document or one of two errors", () => {
  const original = JSON.stringify({ ...manifest, annotations: { a: "b" }, mediaType: ociManifest });
  const inserts = ["", '"', "{", "}", "[", "]", ",", ":", "0", "null", "\\", "\u0000", '"a":1,', "\ud800"];
  for (let position = 0; position < original.length; position++) {
    for (const insert of inserts) {
      outcome(original.slice(0, position) + insert + original.slice(position + 1));
    }
  }
});

function read(document: unknown, claims: DocumentClaims = { contentType: "" }) {
  return parseDocument(Buffer.from(typeof document === "string" ? document : JSON.stringify(document)), claims);
}

function kindOf(document: unknown, contentType = ""): string {
  return read(document, { contentType }).kind;
}

function entriesOf(manifests: readonly unknown[]) {
  const document = read({ manifests });
  return document.kind === "index" ? document.manifests : assert.fail("it is no index");
}

/** The message with which a document is refused. */
function refusal(
  code: "INVALID_MANIFEST" | "UNSUPPORTED_MEDIA_TYPE",
  document: unknown,
  claims?: DocumentClaims,
): string {
  try {
    read(document, claims);
  } catch (error) {
    if (isOciUnpackError(error, code)) return error.message;
    throw error;
  }
  return assert.fail("it was read");
}

/** A kind, or the message of one of the two errors that a document may cause. */
function outcome(document: unknown): string {
  try {
    return read(document).kind;
  } catch (error) {
    if (isOciUnpackError(error, "INVALID_MANIFEST", "UNSUPPORTED_MEDIA_TYPE")) return error.message;
    throw error;
  }
}
