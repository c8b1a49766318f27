import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { bundleType } from "../../src/trust/bundle.ts";
import { signedBytes } from "../../src/trust/envelope.ts";
import { simpleSigningType } from "../../src/trust/simple-signing.ts";
import { statementPayloadType } from "../../src/trust/statement.ts";
import type { RegistryDouble } from "../support/registry-double.ts";

/** A pair of keys, the public one as a file has it. */
export interface Signer {
  readonly privateKey: KeyObject;
  readonly pem: string;
  /** The digest that a signature of this one is made with, unless another is named. */
  readonly hash: string | null;
}

const generated = {
  "P-256": () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  "P-384": () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
  "P-521": () => generateKeyPairSync("ec", { namedCurve: "P-521" }),
  "RSA 2048": () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  Ed25519: () => generateKeyPairSync("ed25519"),
} as const;

export type KeyType = keyof typeof generated;
export const keyTypes = Object.keys(generated) as readonly KeyType[];

export function signer(type: KeyType = "P-256"): Signer {
  const { privateKey, publicKey } = generated[type]();
  return { privateKey, pem: pemOf(publicKey), hash: type === "Ed25519" ? null : "sha256" };
}

export function pemOf(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}

/** What a simple signing of an image says. */
export function payloadOf(digest: string, changes: object = {}): object {
  const critical = {
    identity: { "docker-reference": "registry.example/app" },
    image: { "docker-manifest-digest": digest },
    type: "cosign container image signature",
  };
  return { critical: { ...critical, ...changes }, optional: null };
}

/** Stores a simple signing, or several, under the tag that stands for them. */
export function storeSimpleSignings(
  registry: RegistryDouble,
  repository: string,
  digest: string,
  signings: readonly {
    readonly payload: object | string;
    readonly by: Signer;
    readonly hash?: string;
    readonly signature?: string;
    /** Besides the signature. */
    readonly annotations?: object;
  }[],
): void {
  const layers = signings.map(({ payload, by, hash = by.hash, signature, annotations }) => {
    const bytes = Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
    const made = signature ?? sign(hash, bytes, by.privateKey).toString("base64");
    const descriptor = registry.addBlob(bytes, simpleSigningType);
    return { ...descriptor, annotations: { "dev.cosignproject.cosign/signature": made, ...annotations } };
  });
  const config = registry.addBlob("{}", "application/vnd.oci.image.config.v1+json");
  registry.addManifest(repository, `${digest.replace(":", "-")}.sig`, {
    schemaVersion: 2,
    mediaType: manifestType,
    config,
    layers,
  });
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const emptyType = "application/vnd.oci.empty.v1+json";

/** How a bundle differs from one that is right. */
export interface BundleChanges {
  readonly predicateType?: string;
  readonly payloadType?: string;
  readonly predicate?: unknown;
  /** Instead of one of that predicate about the image. */
  readonly statement?: object;
  readonly hash?: string;
  /** Of the manifest that has it. */
  readonly manifest?: object;
  /** More signatures in the envelope. */
  readonly signatures?: readonly object[];
  /** Instead of the bundle. */
  readonly bytes?: string;
}

/** A statement about an image, in a signed envelope (DSSE). */
export function envelopeOf(digest: string, by: Signer, changes: BundleChanges = {}) {
  const { predicateType = "https://sigstore.dev/cosign/sign/v1", payloadType = statementPayloadType } = changes;
  const statement = changes.statement ?? {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ digest: { sha256: digest.replace("sha256:", "") } }],
    predicateType,
    predicate: changes.predicate ?? {},
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const signed = signedBytes({ payloadType, payload, signature: new Uint8Array() });
  const signature = sign(changes.hash ?? by.hash, signed, by.privateKey).toString("base64");
  const signatures = [{ sig: signature, keyid: "" }, ...(changes.signatures ?? [])];
  return { payload: payload.toString("base64"), payloadType, signatures };
}

/** Stores attestations as cosign kept them before bundles: layers of the image under the tag that stands for them. */
export function storeOlderAttestations(
  registry: RegistryDouble,
  repository: string,
  digest: string,
  envelopes: readonly object[],
): void {
  const type = "application/vnd.dsse.envelope.v1+json";
  registry.addManifest(repository, `${digest.replace(":", "-")}.att`, {
    schemaVersion: 2,
    mediaType: manifestType,
    config: registry.addBlob("{}", "application/vnd.oci.image.config.v1+json"),
    layers: envelopes.map((envelope) => registry.addBlob(JSON.stringify(envelope), type)),
  });
}

/** Stores a bundle that signs an image, as a manifest that refers to it. Gives that manifest's descriptor. */
export function storeBundle(
  registry: RegistryDouble,
  repository: string,
  subject: { readonly digest: string; readonly mediaType: string; readonly size: number },
  by: Signer,
  changes: BundleChanges = {},
) {
  const bundle = {
    mediaType: bundleType,
    verificationMaterial: { publicKey: { hint: "of no use" } },
    dsseEnvelope: envelopeOf(subject.digest, by, changes),
  };
  const layer = registry.addBlob(changes.bytes ?? JSON.stringify(bundle), bundleType);
  const config = registry.addBlob("{}", emptyType);
  return registry.addManifest(repository, undefined, {
    schemaVersion: 2,
    mediaType: manifestType,
    artifactType: bundleType,
    config,
    layers: [layer],
    subject,
    ...changes.manifest,
  });
}
