import { Buffer } from "node:buffer";
import { createHash, type KeyObject } from "node:crypto";
import type { TransparencyLogEntry } from "@sigstore/bundle";
import { type SignedEntity, type TrustMaterial, Verifier } from "@sigstore/verify";
import { present } from "../../base/present.ts";
import { NotSigned } from "../candidate.ts";
import type { SignedContent } from "../signed-content.ts";
import { isSignedBy } from "../verification-key.ts";
import { type SigningCertificate, signingCertificate } from "./certificate.ts";
import { insistOnCertificateLog } from "./certificate-log.ts";
import { insistOnCertificate, insistOnKey } from "./log-entry.ts";
import type { VerificationMaterial } from "./material.ts";
import { type CertificatePath, insistOnValidity, pathsTo } from "./path.ts";
import type { TrustedRoot } from "./trusted-root.ts";
import { asVerdict } from "./verdict.ts";

/** A signature, and what it is one of. */
export type Signed = Pick<SignedContent, "form" | "data" | "payload" | "signature">;

/** When a signature was made, as far as a log or a timestamp authority of the trusted root says so: since 1970. */
export interface SigningTimes {
  readonly loggedAtSeconds?: number;
  readonly timestampedAtSeconds?: number;
}

/** What is verified of a signature that was made with a certificate. */
export interface Certified {
  readonly certificate: SigningCertificate;
  readonly times: SigningTimes;
}

/**
 * Verifies a signature that was made with a certificate: that an authority of the root issued it, that it was valid when the
 * signature was made, and, as far as the root names any, that logs and timestamp authorities vouch for that (V11 to V16).
 *
 * Whom the certificate names is not compared with anything. Throws `NotSigned`, or `SIGNATURE_INVALID`.
 */
export function verifyCertified(signed: Signed, given: VerificationMaterial, root: TrustedRoot): Certified {
  return asVerdict(() => {
    if (given.certificate === undefined) throw new NotSigned("it was signed with a key, not with a certificate");
    const certificate = signingCertificate(given.certificate);
    const material = usable(given, root);
    const { certificateAuthorities } = root.material;
    const paths = pathsTo(certificateAuthorities, certificate.x509, material.intermediates, root.isAnchor);
    insistOnTimes(material, paths, root);
    insistOnLog(material, root);
    insistOnCertificateLogs(paths, root);
    verifyByLibrary(signed, material, root, { key: certificate.key, expires: true });
    for (const entry of material.logEntries) insistOnCertificate(entry, given.certificate);
    return { certificate, times: timesOf(material) };
  });
}

/**
 * Verifies a signature that was made with a key: that it is in a log of the root, if the root names any. A time is not
 * needed, because a key does not expire. Throws `NotSigned`, or `SIGNATURE_INVALID`.
 */
export function verifyLogged(
  signed: Signed,
  key: KeyObject,
  given: VerificationMaterial,
  root: TrustedRoot,
): SigningTimes {
  return asVerdict(() => {
    const material = usable(given, root);
    insistOnLog(material, root);
    verifyByLibrary(signed, material, root, { key, expires: false });
    for (const entry of material.logEntries) insistOnKey(entry, key);
    return timesOf(material);
  });
}

/** What the root can say something about: without logs an entry says nothing, without authorities neither a timestamp. */
function usable(material: VerificationMaterial, root: TrustedRoot) {
  const { tlogs, timestampAuthorities } = root.material;
  const entries = tlogs.length === 0 ? [] : material.logEntries;
  return {
    ...material,
    logEntries: root.areLogsNamed === false ? entries.map(withoutProof) : entries,
    timestamps: timestampAuthorities.length === 0 ? [] : material.timestamps,
  };
}

const fewestLogs = 1;

/** A proof is by a log's name: where none is known, the signed time of an entry has to be there. */
function withoutProof(entry: TransparencyLogEntry): TransparencyLogEntry {
  return { ...entry, inclusionProof: undefined };
}

/** Logs are counted, not entries (V16). Whether the entries hold is verified afterwards. */
function insistOnLog({ logEntries }: VerificationMaterial, { name, material: { tlogs } }: TrustedRoot): void {
  const logs = new Set(logEntries.map(({ logId }) => logId.keyId.toString("hex")));
  if (tlogs.length > 0 && logs.size < fewestLogs) throw new NotSigned(`it is in no log, and ${name} names some`);
}

/**
 * Insists that the certificate and its authorities were valid at every time that is stated; that these times hold is verified
 * afterwards. Where nobody in the root can say when, the certificate has to be valid now (V12, V13).
 */
function insistOnTimes(
  material: VerificationMaterial,
  paths: readonly CertificatePath[],
  { material: { tlogs, timestampAuthorities } }: TrustedRoot,
): void {
  const times = [...logTimes(material), ...material.timestamps.map(({ signingTime }) => signingTime)];
  if (times.length === 0) {
    if (tlogs.length > 0 || timestampAuthorities.length > 0) {
      throw new NotSigned("nobody in the trusted root says when it was signed: it needs a timestamp");
    }
    insistOnValidity(paths, new Date(), ": it needs a timestamp");
  }
  for (const time of times) insistOnValidity(paths, time, "");
  for (const { logId } of material.logEntries) {
    const keys = tlogs.filter(({ logID }) => logID.equals(logId.keyId));
    if (keys.length === 0) throw new NotSigned("its log entry is of a log that the trusted root does not name");
    const isValidAt = (time: Date) => keys.some(({ validFor: { start, end } }) => start <= time && time <= end);
    if (!times.every(isValidAt)) {
      throw new NotSigned("its log entry is of a log whose key was not valid then");
    }
  }
}

/** By whichever authority: the logs have the certificate with the one who issued it (V14). */
function insistOnCertificateLogs(paths: readonly CertificatePath[], { material: { ctlogs } }: TrustedRoot): void {
  const [path] = paths;
  const [certificate, issuer] = path?.certificates ?? [];
  if (ctlogs.length === 0 || certificate === undefined || issuer === undefined) return;
  insistOnCertificateLog(certificate, issuer, ctlogs);
}

/** Only a signed entry timestamp says when an entry was made: the time beside it is a claim (V12). */
function logTimes({ logEntries }: VerificationMaterial): readonly Date[] {
  return logEntries
    .filter(({ inclusionPromise }) => inclusionPromise !== undefined)
    .map(({ integratedTime }) => new Date(Number(integratedTime) * 1000));
}

/** When a signature was made, as its material says: nothing of it is verified here. */
export function timesOf(material: VerificationMaterial): SigningTimes {
  const [logged] = logTimes(material);
  const [timestamp] = material.timestamps;
  return present({ loggedAtSeconds: secondsOf(logged), timestampedAtSeconds: secondsOf(timestamp?.signingTime) });
}

/** A time in whole seconds. Anybody can write a number that is none. */
function secondsOf(time: Date | undefined): number | undefined {
  return time === undefined || Number.isNaN(time.getTime()) ? undefined : Math.floor(time.getTime() / 1000);
}

/** The key that made a signature, and whether it does so for some time only, as that of a certificate. */
interface SigningKey {
  readonly key: KeyObject;
  readonly expires: boolean;
}

/** Verifies the signature, and that the log entries and timestamps are ones of it, by the root. */
function verifyByLibrary(signed: Signed, material: VerificationMaterial, root: TrustedRoot, by: SigningKey): void {
  const { logEntries, timestamps } = material;
  // The certificate is verified here already: the library is told the key, and a hint that it may use for nothing.
  const trust: TrustMaterial = { ...root.material, publicKey: () => ({ publicKey: by.key, validFor: () => true }) };
  const entity: SignedEntity = {
    signature: contentOf(signed),
    key: { $case: "public-key", hint: "" },
    tlogEntries: [...logEntries],
    timestamps: [
      ...logEntries.filter(isTimed).map((tlogEntry) => ({ $case: "transparency-log", tlogEntry }) as const),
      ...timestamps.map((timestamp) => ({ $case: "timestamp-authority", timestamp }) as const),
    ],
  };
  const { tlogs, timestampAuthorities } = root.material;
  new Verifier(trust, {
    tlogThreshold: tlogs.length > 0 ? fewestLogs : 0,
    timestampThreshold: by.expires && tlogs.length + timestampAuthorities.length > 0 ? 1 : 0,
  }).verify(entity);
}

function isTimed({ inclusionPromise }: TransparencyLogEntry): boolean {
  return inclusionPromise !== undefined;
}

/** The digests that a log entry may have, by their length. */
const hashes: Readonly<Record<number, string>> = { 32: "sha256", 48: "sha384", 64: "sha512" };

function isDigestOf(bytes: Uint8Array, digest: Buffer): boolean {
  const hash = hashes[digest.length];
  return hash !== undefined && createHash(hash).update(bytes).digest().equals(digest);
}

function contentOf({ form, data, payload, signature }: Signed): SignedEntity["signature"] {
  return {
    signature: Buffer.from(signature),
    compareSignature: (other) => other.equals(signature),
    compareDigest: (digest) => isDigestOf(payload, digest),
    compareSignedDigest: (digest) => isDigestOf(data, digest),
    verifySignature: (key) => isSignedBy({ key }, data, signature, form),
  };
}
