import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { bundleType } from "../../../src/trust/bundle.ts";
import { signedBytes } from "../../../src/trust/envelope.ts";
import { statementPayloadType } from "../../../src/trust/statement.ts";
import * as der from "./der.ts";

// A Sigstore instance of the tests' own: authorities, logs of both versions, a log of certificates, a timestamp authority.
// Each thing it makes can be made wrong in one respect.

export interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export const pair = (): Pair => generateKeyPairSync("ec", { namedCurve: "P-256" });
export const spki = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });
const sha256 = (...parts: readonly Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const pem = (label: string, bytes: Uint8Array) =>
  `-----BEGIN ${label}-----\n${base64(bytes)}\n-----END ${label}-----\n`;

/** When everything is signed, unless something else is said. */
export const signedAt = new Date("2025-06-01T12:00:00Z");
export const minutes = (count: number, from = signedAt) => new Date(from.getTime() + count * 60_000);
const long = { from: new Date("2020-01-01T00:00:00Z"), until: new Date("2049-01-01T00:00:00Z") };

/** What a certificate says, and who says so. */
export interface CertificateWish {
  readonly subject: string;
  readonly pair: Pair;
  readonly issuer: { readonly subject: string; readonly pair: Pair };
  readonly from: Date;
  readonly until: Date;
  readonly extensions: readonly Buffer[];
}

export interface Certificate extends CertificateWish {
  readonly bytes: Buffer;
}

const ecdsaWithSha256 = der.sequence(der.oid("1.2.840.10045.4.3.2"));
const name = (text: string) =>
  text === "" ? der.sequence() : der.sequence(der.set(der.sequence(der.oid("2.5.4.3"), der.utf8(text))));

function tbsCertificate(wish: CertificateWish): Buffer {
  const { subject, pair: own, issuer, from, until, extensions } = wish;
  return der.sequence(
    der.context(0, der.integer(2)),
    der.integer(7),
    ecdsaWithSha256,
    name(issuer.subject),
    der.sequence(der.utcTime(from), der.utcTime(until)),
    name(subject),
    spki(own.publicKey),
    der.context(3, der.sequence(...extensions)),
  );
}

export function certificate(wish: CertificateWish): Certificate {
  const tbs = tbsCertificate(wish);
  const signature = sign("sha256", tbs, wish.issuer.pair.privateKey);
  return { ...wish, bytes: der.sequence(tbs, ecdsaWithSha256, der.bits(signature)) };
}

/** An extension of a certificate. */
export function extension(oid: string, value: Buffer, isCritical = false): Buffer {
  return der.sequence(der.oid(oid), ...(isCritical ? [der.truth] : []), der.octets(value));
}

/** A certificate as a file has it. */
export const certificatePem = ({ bytes }: Pick<Certificate, "bytes">) => pem("CERTIFICATE", bytes);

/** What stands in an authority's certificate. */
export const authority = {
  constraints: (longest?: number) =>
    extension("2.5.29.19", der.sequence(der.truth, ...(longest === undefined ? [] : [der.integer(longest)])), true),
  usage: extension("2.5.29.15", der.bits(Buffer.from([0x06]), 1), true),
};

/** Names of each type that an alternative name may have. */
export const named = {
  email: (text: string) => der.plainContext(1, Buffer.from(text)),
  dns: (text: string) => der.plainContext(2, Buffer.from(text)),
  uri: (text: string) => der.plainContext(6, Buffer.from(text)),
  user: (text: string) => der.context(0, der.oid("1.3.6.1.4.1.57264.1.7"), der.context(0, der.utf8(text))),
};

export const usual = { identity: "https://builds.example/app@main", issuer: "https://login.example" };

/** What stands in the certificate of whoever signs, by name, so that one of them can be another. */
export const signing = {
  constraints: undefined,
  usage: extension("2.5.29.15", der.bits(Buffer.from([0x80]), 7), true),
  purpose: extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.3"))),
  names: namesExtension(named.uri(usual.identity)),
  older: extension("1.3.6.1.4.1.57264.1.1", Buffer.from(usual.issuer)),
  newer: extension("1.3.6.1.4.1.57264.1.8", der.utf8(usual.issuer)),
  more: undefined,
};

export function namesExtension(...names: readonly Buffer[]): Buffer {
  return extension("2.5.29.17", der.sequence(...names), true);
}

/** A log: its key, its name, and from when to when it counts. */
export interface Log extends Pair {
  readonly url: string;
  readonly start?: string;
  readonly end?: string;
}

const log = (url: string, keys: Pair = pair()): Log => ({ ...keys, url });
export const logIdOf = ({ publicKey }: Pair) => sha256(spki(publicKey));

/** How the certificate of whoever signs differs from the usual one. */
export interface SignerChanges extends Partial<Omit<CertificateWish, "extensions">> {
  readonly extensions?: { readonly [Name in keyof typeof signing]?: Buffer | undefined };
  /** The log that has the certificate; `null`: none. */
  readonly certificateLog?: Log | null;
}

export class Instance {
  readonly root = this.#root("root");
  readonly intermediate = this.intermediateWith({});
  readonly certificateLog = log("https://ct.example");
  readonly rekor = log("https://rekor.example");
  readonly rekor2 = log("https://log2025.example", generateKeyPairSync("ed25519"));
  readonly timestampRoot = this.#root("timestamps");
  readonly timestamps = certificate({
    ...long,
    subject: "timestamper",
    pair: pair(),
    issuer: this.timestampRoot,
    extensions: [extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.8")), true)],
  });

  #root(subject: string): Certificate {
    const own = { subject, pair: pair() };
    return certificate({ ...own, ...long, issuer: own, extensions: [authority.constraints(), authority.usage] });
  }

  intermediateWith(changes: Partial<CertificateWish>): Certificate {
    return certificate({
      ...long,
      subject: "intermediate",
      pair: pair(),
      issuer: this.root,
      extensions: [authority.constraints(0), authority.usage],
      ...changes,
    });
  }

  /** A certificate for ten minutes, in which things are signed. */
  signer(changes: SignerChanges = {}): Certificate {
    const { certificateLog = this.certificateLog, extensions, ...others } = changes;
    const all = Object.values({ ...signing, ...extensions }).filter((each) => each !== undefined);
    const wish: CertificateWish = {
      subject: "",
      pair: pair(),
      issuer: this.intermediate,
      from: minutes(-5),
      until: minutes(5),
      ...others,
      extensions: all,
    };
    if (certificateLog === null) return certificate(wish);
    return certificate({ ...wish, extensions: [...all, certificateTimestamps(wish, [certificateLog])] });
  }

  /** A trusted root, as a document. */
  document(changes: object = {}): object {
    return {
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      tlogs: [this.rekor, this.rekor2].map(logInRoot),
      ctlogs: [this.certificateLog].map(logInRoot),
      certificateAuthorities: [authorityInRoot([this.intermediate, this.root])],
      timestampAuthorities: [authorityInRoot([this.timestamps, this.timestampRoot])],
      ...changes,
    };
  }

  /** A timestamp (RFC 3161) over a signature. */
  timestamp(signature: Uint8Array, changes: { readonly at?: Date; readonly by?: Certificate } = {}): Buffer {
    const { at = signedAt, by = this.timestamps } = changes;
    const sha256Type = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"));
    const infoType = der.oid("1.2.840.113549.1.9.16.1.4");
    const imprint = der.sequence(sha256Type, der.octets(sha256(signature)));
    const info = der.sequence(der.integer(1), der.oid("1.2.3"), imprint, der.integer(9), der.generalizedTime(at));
    const attributes = [
      der.sequence(der.oid("1.2.840.113549.1.9.3"), der.set(infoType)),
      der.sequence(der.oid("1.2.840.113549.1.9.4"), der.set(der.octets(sha256(info)))),
    ];
    const signed = sign("sha256", der.set(...attributes), by.pair.privateKey);
    const signer = der.sequence(
      der.integer(1),
      der.sequence(name(by.issuer.subject), der.integer(7)),
      sha256Type,
      der.context(0, ...attributes),
      ecdsaWithSha256,
      der.octets(signed),
    );
    const content = der.sequence(infoType, der.context(0, der.octets(info)));
    const data = der.sequence(der.integer(3), der.set(sha256Type), content, der.set(signer));
    const token = der.sequence(der.oid("1.2.840.113549.1.7.2"), der.context(0, data));
    return der.sequence(der.sequence(der.integer(0)), token);
  }
}

/** A log as a trusted root has it. */
export function logInRoot({ url, publicKey, start = "2021-01-01T00:00:00Z", end }: Log): object {
  const keyDetails = publicKey.asymmetricKeyType === "ed25519" ? "PKIX_ED25519" : "PKIX_ECDSA_P256_SHA_256";
  const validFor = { start, ...(end !== undefined && { end }) };
  return {
    baseUrl: url,
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: base64(spki(publicKey)), keyDetails, validFor },
    logId: { keyId: base64(logIdOf({ publicKey, privateKey: publicKey })) },
  };
}

/** An authority as a trusted root has it. */
export function authorityInRoot(
  chain: readonly Pick<Certificate, "bytes">[],
  validFor: object = { start: "2021-01-01T00:00:00Z" },
): object {
  return { certChain: { certificates: chain.map(({ bytes }) => ({ rawBytes: base64(bytes) })) }, validFor };
}

/** What logs say of a certificate before it is issued (RFC 6962, section 3.2), as an extension. */
function certificateTimestamps(wish: CertificateWish, logs: readonly Log[]): Buffer {
  const tbs = tbsCertificate(wish);
  const at = Buffer.alloc(8);
  at.writeBigUInt64BE(BigInt(wish.from.getTime()));
  const number = (value: number, size: number) => {
    const bytes = Buffer.alloc(size);
    bytes.writeUIntBE(value, 0, size);
    return bytes;
  };
  const withLength = (bytes: Uint8Array) => Buffer.concat([number(bytes.length, 2), bytes]);
  const all = logs.map(({ privateKey, publicKey }) => {
    const head = Buffer.concat([Buffer.from([0, 0]), at, number(1, 2), sha256(spki(wish.issuer.pair.publicKey))]);
    const signed = sign("sha256", Buffer.concat([head, number(tbs.length, 3), tbs, number(0, 2)]), privateKey);
    const logId = logIdOf({ publicKey, privateKey });
    return withLength(
      Buffer.concat([Buffer.from([0]), logId, at, number(0, 2), Buffer.from([4, 3]), withLength(signed)]),
    );
  });
  return extension("1.3.6.1.4.1.11129.2.4.2", der.octets(withLength(Buffer.concat(all))));
}

/** What a log has an entry about. */
export interface Logged {
  readonly data: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** A certificate, or the key alone. */
  readonly by: Pick<Certificate, "bytes"> | { readonly publicKey: KeyObject };
}

type Kind = "hashedrekord" | "dsse";

function bodyOf(kind: Kind, { data, payload, signature, by }: Logged): object {
  const content = base64(signature);
  const text = "bytes" in by ? pem("CERTIFICATE", by.bytes) : pem("PUBLIC KEY", spki(by.publicKey));
  const verifier = base64(Buffer.from(text));
  const hash = { algorithm: "sha256", value: sha256(kind === "dsse" ? payload : data).toString("hex") };
  const spec =
    kind === "dsse"
      ? { payloadHash: hash, signatures: [{ signature: content, verifier }] }
      : { data: { hash }, signature: { content, publicKey: { content: verifier } } };
  return { apiVersion: "0.0.1", kind, spec };
}

function secondBodyOf(kind: Kind, { data, payload, signature, by }: Logged): object {
  const keyDetails = "PKIX_ECDSA_P256_SHA_256";
  const verifier =
    "bytes" in by
      ? { x509Certificate: { rawBytes: base64(by.bytes) }, keyDetails }
      : { publicKey: { rawBytes: base64(spki(by.publicKey)) }, keyDetails };
  const one = { content: base64(signature), verifier };
  const hash = { algorithm: "SHA2_256", digest: base64(sha256(kind === "dsse" ? payload : data)) };
  const spec =
    kind === "dsse"
      ? { dsseV002: { payloadHash: hash, signatures: [one] } }
      : { hashedRekordV002: { data: hash, signature: one } };
  return { apiVersion: "0.0.2", kind, spec };
}

/** How an entry is made. */
export interface EntryWish {
  readonly kind: Kind;
  readonly log: Log;
  readonly version?: 1 | 2;
  /** When the first version says that it was logged. */
  readonly at?: Date | undefined;
  /** Whether that is signed. */
  readonly isTimeSigned?: boolean;
  /** Whether the tree that the entry is in is signed. */
  readonly hasProof?: boolean;
  /** Another body than that of the signature. */
  readonly body?: object;
}

/** An entry, as a bundle has it: the only one in its tree. */
export function logEntry(logged: Logged, wish: EntryWish): object {
  const { kind, log: by, version = 1, at = signedAt, isTimeSigned = version === 1, hasProof = true } = wish;
  const body = wish.body ?? (version === 1 ? bodyOf(kind, logged) : secondBodyOf(kind, logged));
  const canonicalizedBody = Buffer.from(JSON.stringify(body));
  const logId = logIdOf(by);
  const integratedTime = Math.floor(at.getTime() / 1000);
  const logIndex = 0;
  const stated = { body: base64(canonicalizedBody), integratedTime, logID: logId.toString("hex"), logIndex };
  const signedEntryTimestamp = base64(sign(hashOf(by), Buffer.from(JSON.stringify(stated)), by.privateKey));
  const rootHash = sha256(Buffer.from([0]), canonicalizedBody);
  const { host } = new URL(by.url);
  const note = `${host}\n1\n${base64(rootHash)}\n`;
  const noteSignature = Buffer.concat([logId.subarray(0, 4), sign(hashOf(by), Buffer.from(note), by.privateKey)]);
  const checkpoint = { envelope: `${note}\n— ${host} ${base64(noteSignature)}\n` };
  return {
    logIndex: "0",
    logId: { keyId: base64(logId) },
    kindVersion: { kind, version: version === 1 ? "0.0.1" : "0.0.2" },
    ...(version === 1 && { integratedTime: String(integratedTime) }),
    ...(isTimeSigned && { inclusionPromise: { signedEntryTimestamp } }),
    ...(hasProof && {
      inclusionProof: { logIndex: "0", rootHash: base64(rootHash), treeSize: "1", hashes: [], checkpoint },
    }),
    canonicalizedBody: stated.body,
  };
}

function hashOf({ publicKey }: Pair): string | null {
  return publicKey.asymmetricKeyType === "ed25519" ? null : "sha256";
}

/** A signature of a statement. */
export interface SignedStatementParts extends Logged {
  readonly envelope: object;
}

/** Signs a statement that is a signature of an image. */
export function signedStatement(
  digest: string,
  by: Certificate | Pair,
  changes: object = {},
  hash = "sha256",
): SignedStatementParts {
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ digest: { sha256: digest.replace("sha256:", "") } }],
    predicateType: "https://sigstore.dev/cosign/sign/v1",
    predicate: {},
    ...changes,
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const data = signedBytes({ payloadType: statementPayloadType, payload, signature: new Uint8Array() });
  const { privateKey } = "pair" in by ? by.pair : by;
  const signature = sign(privateKey.asymmetricKeyType === "ed25519" ? null : hash, data, privateKey);
  const envelope = {
    payloadType: statementPayloadType,
    payload: base64(payload),
    signatures: [{ sig: base64(signature), keyid: "" }],
  };
  return { data, payload, signature, by, envelope };
}

/** A bundle with what was made for it. */
export function bundleWith(
  { envelope, by }: SignedStatementParts,
  material: {
    readonly entries?: readonly object[];
    readonly timestamps?: readonly Uint8Array[];
    readonly more?: object;
  },
): Buffer {
  const { entries = [], timestamps = [], more } = material;
  const bundle = {
    mediaType: bundleType,
    verificationMaterial: {
      ...("bytes" in by ? { certificate: { rawBytes: base64(by.bytes) } } : { publicKey: { hint: "of no use" } }),
      tlogEntries: entries,
      timestampVerificationData: { rfc3161Timestamps: timestamps.map((each) => ({ signedTimestamp: base64(each) })) },
      ...more,
    },
    dsseEnvelope: envelope,
  };
  return Buffer.from(JSON.stringify(bundle));
}

/** The annotations with which cosign kept the same beside a payload: its entry has a signed time and no proof. */
export function annotationsOf(
  signature: Uint8Array,
  material: {
    readonly certificate?: Certificate;
    readonly chain?: readonly Certificate[];
    readonly entry?: object;
    readonly timestamp?: Uint8Array;
  },
): Record<string, string> {
  const { certificate: leaf, chain = [], entry, timestamp } = material;
  return {
    "dev.cosignproject.cosign/signature": base64(signature),
    ...(leaf && { "dev.sigstore.cosign/certificate": pem("CERTIFICATE", leaf.bytes) }),
    ...(chain.length > 0 && {
      "dev.sigstore.cosign/chain": chain.map(({ bytes }) => pem("CERTIFICATE", bytes)).join(""),
    }),
    ...(entry && { "dev.sigstore.cosign/bundle": JSON.stringify(rekorBundle(entry)) }),
    ...(timestamp && {
      "dev.sigstore.cosign/rfc3161timestamp": JSON.stringify({ SignedRFC3161Timestamp: base64(timestamp) }),
    }),
  };
}

/** cosign's form of an entry. */
function rekorBundle(entry: object): object {
  const { inclusionPromise, canonicalizedBody, integratedTime, logId, logIndex } = Object(entry);
  const logID = Buffer.from(logId.keyId, "base64").toString("hex");
  return {
    SignedEntryTimestamp: inclusionPromise.signedEntryTimestamp,
    Payload: { body: canonicalizedBody, integratedTime: Number(integratedTime), logIndex: Number(logIndex), logID },
  };
}
