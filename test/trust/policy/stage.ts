import { Buffer } from "node:buffer";
import { sign } from "node:crypto";
import { mkdir, readdir, readFile, realpath, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { simpleSigningType } from "../../../src/trust/simple-signing.ts";
import { blobsOf, type Image, image, imageIndex } from "../../support/image.ts";
import { writeImageLayout } from "../../support/image-layout.ts";
import { type RegistryDouble, startRegistry } from "../../support/registry-double.ts";
import { scratch } from "../../support/scratch.ts";
import { directory, file, tar } from "../../support/tar-builder.ts";
import { type KeyType, payloadOf, type Signer, signer, storeBundle, storeSimpleSignings } from "../signing.ts";
import { storeCertified } from "./certified-images.ts";

const archive = tar(file("etc/name", "policies"));
const sample = image([archive], { encoding: "plain" });
const another = image([archive], { encoding: "plain", platform: { os: "linux", architecture: "s390x" } });
const { descriptor } = sample.manifest;
const { digest } = descriptor;

/** Images and keys that policies are about, in a registry and in a directory. */
export interface PolicyStage extends AsyncDisposable {
  readonly place: string;
  readonly registry: RegistryDouble;
  readonly keys: Readonly<Record<string, Signer>>;
  /** A text with the places of this stage. */
  filled(text: string): string;
}

export async function setPolicyStage(): Promise<PolicyStage> {
  const own = await scratch();
  const place = await realpath(own.directory);
  const registry = await startRegistry({ referrersOnPage: 10 });
  const keys = await writeKeys(place);
  const store = (repository: string) => storeImage(registry, repository);
  storeImages(registry, keys, store);
  await storeCertified({ place, registry, key: keys.first, subject: descriptor, store });
  await writeImages(place, keys);
  const base64 = new Map<string, string>();
  for (const name of await readdir(place)) {
    if (/\.(?:pub|pem)$/.test(name)) base64.set(name, (await readFile(join(place, name))).toString("base64"));
  }
  return {
    place,
    registry,
    keys,
    filled: (text) =>
      text
        .replaceAll("HOST", registry.host)
        .replaceAll("DIGEST", digest)
        .replaceAll(/BASE64\(([\w.-]+)\)/g, (_whole, name) => base64.get(name) ?? "")
        .replaceAll("PLACE", place),
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await own[Symbol.asyncDispose]();
    },
  };
}

const keyTypesByName = {
  first: "P-256",
  second: "P-256",
  third: "P-256",
  p384: "P-384",
  rsa: "RSA 2048",
  ed25519: "Ed25519",
} as const satisfies Readonly<Record<string, KeyType>>;

type Keys = Readonly<Record<keyof typeof keyTypesByName, Signer>>;

async function writeKeys(place: string): Promise<Keys> {
  const keys = Object.fromEntries(Object.entries(keyTypesByName).map(([name, type]) => [name, signer(type)]));
  for (const [name, { pem }] of Object.entries(keys)) await writeFile(join(place, `${name}.pub`), pem);
  await writeFile(join(place, "nonsense.pub"), "nonsense");
  return keys as Keys;
}

/** A payload that states a name. */
function payload(name: string, changes: object = {}): object {
  return payloadOf(digest, { identity: { "docker-reference": name }, ...changes });
}

/** Puts the image into a repository, under two tags. */
function storeImage(registry: RegistryDouble, repository: string): void {
  for (const { bytes, descriptor: of } of [sample.config, ...sample.layers]) registry.addBlob(bytes, of.mediaType);
  for (const tag of ["1", "2"]) registry.addManifest(repository, tag, sample.manifest.bytes, descriptor.mediaType);
}

/** Puts images into a registry, each signed as its repository's name says. */
function storeImages(
  registry: RegistryDouble,
  { first, second, p384, rsa, ed25519 }: Keys,
  store: (repository: string) => void,
): void {
  const { host } = registry;
  const named = (repository: string) => `${host}/${repository}:1`;
  const signedImages: Readonly<Record<string, Parameters<typeof storeSimpleSignings>[3]>> = {
    "app/plain": [],
    "app/tagged": [{ payload: payload(named("app/tagged")), by: first }],
    "app/both": [first, second].map((by) => ({ payload: payload(named("app/both")), by })),
    "app/wrapped": [
      {
        payload: payload(named("app/wrapped")),
        by: first,
        signature: wrappedSignature(first, payload(named("app/wrapped"))),
      },
    ],
    "app/digest": [{ payload: payload(`${host}/app/digest@${digest}`), by: first }],
    "app/cosign": [{ payload: payload(`${host}/app/cosign`), by: first }],
    "app/foreign": [{ payload: payload("registry.example/vendor/app:1"), by: first }],
    "vendor/app": [{ payload: payload("registry.example/vendor/app:1"), by: first }],
    "app/hub": [{ payload: payload("docker.io/library/busybox:1"), by: first }],
    "app/short": [{ payload: payload("busybox:2"), by: first }],
    "app/nameless": [{ payload: payload("no name"), by: first }],
    "app/p384": [{ payload: payload(named("app/p384")), by: p384 }],
    "app/rsa": [{ payload: payload(named("app/rsa")), by: rsa }],
    "app/ed25519": [{ payload: payload(named("app/ed25519")), by: ed25519 }],
    "app/other-type": [{ payload: payload(named("app/other-type"), { type: "another" }), by: first }],
    "app/more-critical": [{ payload: payload(named("app/more-critical"), { more: true }), by: first }],
    "app/other-digest": [
      {
        payload: payloadOf(another.manifest.descriptor.digest, {
          identity: { "docker-reference": named("app/other-digest") },
        }),
        by: first,
      },
    ],
    "app/tampered": [
      {
        payload: payload(named("app/tampered")),
        by: first,
        signature: sign("sha256", Buffer.from("other bytes"), first.privateKey).toString("base64"),
      },
    ],
  };
  for (const [repository, signings] of Object.entries(signedImages)) {
    store(repository);
    if (signings.length > 0) storeSimpleSignings(registry, repository, digest, signings);
  }
  store("app/bundle");
  storeBundle(registry, "app/bundle", descriptor, first);
  for (const repository of ["app/signed-index", "app/signed-instance"]) {
    store(repository);
    const index = imageIndex([sample]);
    registry.addManifest(repository, "1", index.bytes, index.descriptor.mediaType);
    const subject = repository === "app/signed-index" ? index.descriptor.digest : digest;
    const identity = { "docker-reference": named(repository) };
    storeSimpleSignings(registry, repository, subject, [{ payload: payloadOf(subject, { identity }), by: first }]);
  }
}

/** A signature as `base64` writes it, in lines. */
function wrappedSignature(by: Signer, stated: object): string {
  const bytes = Buffer.from(JSON.stringify(stated));
  return sign(by.hash, bytes, by.privateKey)
    .toString("base64")
    .replaceAll(/.{1,76}/g, "$&\n");
}

async function writeImages(place: string, { first }: Keys): Promise<void> {
  const images = join(place, "images");
  await mkdir(images);
  await symlink(images, join(place, "link"));
  await writeDirectory(join(images, "dir"), sample);
  await writeDirectory(join(images, "signed"), sample);
  await writeFile(join(images, "signed/signature-1"), signatureFile(payload("registry.example/vendor/app:1"), first));
  await writeImageLayout(join(images, "layout"), [{ tag: "1", images: [sample] }]);
  await writeFile(join(images, "layout.tar"), await layoutArchive(join(images, "layout")));
  await writeFile(join(images, "docker.tar"), dockerArchive());
}

async function writeDirectory(path: string, one: Image): Promise<void> {
  await mkdir(path);
  await writeFile(join(path, "version"), "Directory Transport Version: 1.1\n");
  await writeFile(join(path, "manifest.json"), one.manifest.bytes);
  for (const { descriptor: of, bytes } of [one.config, ...one.layers])
    await writeFile(join(path, of.digest.replace("sha256:", "")), bytes);
}

/** A signature as skopeo writes it beside an image in a directory. */
function signatureFile(stated: object, by: Signer): Buffer {
  const bytes = Buffer.from(JSON.stringify(stated));
  const signature = sign(by.hash, bytes, by.privateKey).toString("base64");
  const content = {
    mimeType: simpleSigningType,
    payload: bytes.toString("base64"),
    annotations: { "dev.cosignproject.cosign/signature": signature },
  };
  return Buffer.from(`\0sigstore-json\n${JSON.stringify(content)}`);
}

/** Its files belong to whoever runs the tests: skopeo gives them to the owner that the archive states. */
async function layoutArchive(layout: string): Promise<Uint8Array> {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const entries = ["blobs", "blobs/sha256"].map((path) => directory(path, owner));
  for (const { descriptor: of, bytes } of blobsOf(sample)) {
    entries.push(file(`blobs/${of.digest.replace(":", "/")}`, bytes, owner));
  }
  for (const name of ["oci-layout", "index.json"]) entries.push(file(name, await readFile(join(layout, name)), owner));
  return tar(...entries);
}

function dockerArchive(): Uint8Array {
  const manifest = [{ Config: "config.json", RepoTags: ["registry.example/app:1"], Layers: ["layer.tar"] }];
  return tar(
    file("config.json", sample.config.bytes),
    file("layer.tar", archive),
    file("manifest.json", JSON.stringify(manifest)),
  );
}
