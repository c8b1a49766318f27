import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject } from "node:crypto";
import { type ASN1Obj, X509Certificate } from "@sigstore/core";
import { NotSigned } from "../candidate.ts";
import { verificationFault } from "../verification-key.ts";

/** What the certificate of a signature says, and what it was read from. Nothing is verified. */
export interface SigningCertificate {
  readonly x509: X509Certificate;
  readonly key: KeyObject;
  /** Whom it names: the URIs, e-mail addresses, DNS names and user names among its alternative names. */
  readonly names: readonly string[];
  /** The e-mail addresses among them. */
  readonly emails: readonly string[];
  /** Who vouched for that name to the authority: the address of an OpenID provider. */
  readonly issuer: string | undefined;
}

// Object identifiers: RFC 5280, and Fulcio's own (fulcio/docs/oid-info.md).
const keyUsage = "2.5.29.15";
const alternativeNames = "2.5.29.17";
const basicConstraints = "2.5.29.19";
const nameConstraints = "2.5.29.30";
const extendedKeyUsage = "2.5.29.37";
const codeSigning = "1.3.6.1.5.5.7.3.3";
const anyUsage = "2.5.29.37.0";
const issuerAsText = "1.3.6.1.4.1.57264.1.1";
const issuerInDer = "1.3.6.1.4.1.57264.1.8";
const userName = "1.3.6.1.4.1.57264.1.7";

/** The critical extensions that are looked at here. With another one a certificate must be refused (RFC 5280, 4.2). */
const understood: readonly string[] = [keyUsage, alternativeNames, basicConstraints, extendedKeyUsage];

/** Each is looked for among all: their number must not be up to a stranger. */
const mostExtensions = 64;

/**
 * Reads the certificate of a signature, and insists that it is one for signing (V11). Throws `NotSigned`.
 *
 * A certificate that names no usage at all is refused, unless `usage` is `"if stated"`, as in a PKI without Fulcio.
 */
export function signingCertificate(der: Uint8Array, usage: "demanded" | "if stated" = "demanded"): SigningCertificate {
  const x509 = readable(der);
  insistOnExtensions(x509);
  if (x509.extBasicConstraints?.isCA === true) throw new NotSigned("its certificate is one of an authority");
  if (x509.extKeyUsage?.digitalSignature === false) throw new NotSigned("its certificate is not for signatures");
  const stated = usagesOf(x509);
  const isForAll = usage === "if stated" && (stated === undefined || stated.includes(anyUsage));
  const usages = isForAll ? [codeSigning] : (stated ?? []);
  if (!usages.includes(codeSigning)) throw new NotSigned("its certificate is not for signing code");
  const key = createPublicKey({ key: x509.publicKey, format: "der", type: "spki" });
  const fault = verificationFault(key);
  if (fault !== undefined) throw new NotSigned(`the key of its certificate ${fault}`);
  return { x509, key, names: namesOf(x509), emails: emailsOf(x509), issuer: issuerOf(x509) };
}

/** Reads any certificate. Throws `NotSigned`. */
export function readable(der: Uint8Array): X509Certificate {
  try {
    const x509 = X509Certificate.parse(Buffer.from(der));
    // The fields are parsed when they are asked for.
    void [x509.notBefore, x509.notAfter, x509.publicKey, x509.extensions.map(({ subs }) => subs[0]?.toOID())];
    return x509;
  } catch (cause) {
    throw new NotSigned("its certificate cannot be read", { cause });
  }
}

/**
 * Whether a certificate may certify others, `below` of them before the one that signed (RFC 5280, section 4.2.1.9). One
 * that may do so for some names only may not: nobody here compares them.
 */
export function mayCertify(x509: X509Certificate, below: number): boolean {
  insistOnExtensions(x509);
  const longest = x509.extBasicConstraints?.pathLenConstraint;
  const usages = usagesOf(x509);
  return (
    x509.isCA &&
    x509.extension(nameConstraints) === undefined &&
    (longest === undefined || longest >= BigInt(below)) &&
    (usages === undefined || usages.includes(codeSigning) || usages.includes(anyUsage))
  );
}

/** Whether a certificate is one that signed itself: a root. */
export function isRoot(x509: X509Certificate): boolean {
  return x509.subject.equals(x509.issuer) && x509.verify();
}

/** No extension twice, of which another program might read the other one, and none that must be understood and is not. */
function insistOnExtensions(x509: X509Certificate): void {
  const { extensions } = x509;
  if (extensions.length > mostExtensions) throw new NotSigned(`a certificate has ${extensions.length} extensions`);
  const oids = new Set<string>();
  for (const { subs } of extensions) {
    const oid = subs[0]?.toOID() ?? "";
    if (oids.has(oid)) throw new NotSigned(`a certificate has the extension ${oid} twice`);
    oids.add(oid);
    if (x509.extension(oid)?.critical === true && !understood.includes(oid)) {
      throw new NotSigned(`a certificate has the critical extension ${oid}, of which nothing is known`);
    }
  }
}

function usagesOf(x509: X509Certificate): readonly string[] | undefined {
  return x509.extension(extendedKeyUsage)?.valueObj.subs[0]?.subs.map((usage) => usage.toOID());
}

// The tags of a GeneralName (RFC 5280, section 4.2.1.6).
const otherName = 0;
const emailName = 1;
const plainNames: readonly number[] = [emailName, 2 /* dNSName */, 6 /* uniformResourceIdentifier */];

function generalNamesOf(x509: X509Certificate): readonly ASN1Obj[] {
  return x509.extension(alternativeNames)?.valueObj.subs[0]?.subs ?? [];
}

function emailsOf(x509: X509Certificate): readonly string[] {
  return generalNamesOf(x509).flatMap(({ tag, value }) => (tag.isContextSpecific(emailName) ? printable(value) : []));
}

function namesOf(x509: X509Certificate): readonly string[] {
  return generalNamesOf(x509).flatMap(({ tag, value, subs: [type, content] }) => {
    if (plainNames.some((number) => tag.isContextSpecific(number))) return printable(value);
    if (tag.isContextSpecific(otherName) && type?.toOID() === userName) return printable(content?.subs[0]?.value);
    return [];
  });
}

/** The issuer; where both extensions name one, they have to agree (V10). */
function issuerOf(x509: X509Certificate): string | undefined {
  const older = x509.extension(issuerAsText)?.value;
  const inDer = x509.extension(issuerInDer)?.valueObj;
  const newer = inDer?.subs[0]?.value;
  if (inDer !== undefined && newer === undefined)
    throw new NotSigned("its certificate has an issuer that is no string");
  if (older !== undefined && newer !== undefined && !older.equals(newer)) {
    throw new NotSigned("its certificate names two issuers");
  }
  const issuer = newer ?? older;
  return issuer === undefined ? undefined : printable(issuer);
}

/** Text that looks in no program like other text. */
function printable(bytes: Uint8Array = new Uint8Array()): string {
  if (bytes.length === 0 || bytes.length > longestName || bytes.some((byte) => byte < 0x20 || byte > 0x7e)) {
    throw new NotSigned("its certificate has a name that is not printable");
  }
  return Buffer.from(bytes).toString("latin1");
}

const longestName = 1000;
