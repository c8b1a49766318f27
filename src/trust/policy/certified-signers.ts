import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { present } from "../../base/present.ts";
import { NotSigned, OtherIdentity } from "../candidate.ts";
import type { KeySigner } from "../key-signer.ts";
import { signingCertificate } from "../keyless/certificate.ts";
import { materialOf } from "../keyless/material.ts";
import { insistOnValidity, pathsTo } from "../keyless/path.ts";
import { LoggedKeySigner } from "../keyless/signers.ts";
import type { TrustedRoot } from "../keyless/trusted-root.ts";
import { asVerdict } from "../keyless/verdict.ts";
import { verifyCertified } from "../keyless/verify.ts";
import type { SignedContent } from "../signed-content.ts";
import type { Signer, SignerEvidence } from "../signer.ts";
import { isSignedBy, type VerificationKey } from "../verification-key.ts";
import { authoritiesIn, policyRoot } from "./authorities.ts";
import type { RequiredFulcio, RequiredPki } from "./requirement.ts";

/** The owner of a key whose signatures are in a log. */
export function loggedSigner(owner: KeySigner, logs: readonly VerificationKey[]): Signer {
  return new LoggedKeySigner(owner, policyRoot("the policy", { logs }));
}

/** Whom an instance of Fulcio certified for a short time, in which a log had the signature. */
export async function fulcioSigner(
  { authorities, oidcIssuer, subjectEmail }: RequiredFulcio,
  logs: readonly VerificationKey[],
): Promise<Signer> {
  const root = policyRoot("the policy", { anchors: await authoritiesIn(authorities), logs });
  return {
    name: `"${subjectEmail}", for whom "${oidcIssuer}" vouches,`,
    verify(content) {
      const { certificate, times } = verifyCertified(content, materialOf(content.candidate), root);
      const { emails, issuer } = certificate;
      insistOnEmail(emails, subjectEmail);
      if (issuer !== oidcIssuer) {
        throw new OtherIdentity(`who vouched for the signer is ${issuer === undefined ? "not said" : `"${issuer}"`}`);
      }
      return { identity: subjectEmail, issuer: oidcIssuer, ...times };
    },
  };
}

/** Whom another infrastructure certified. Nobody says when something was signed: the certificate has to be valid now. */
export async function pkiSigner({ roots, intermediates, ...subject }: RequiredPki): Promise<Signer> {
  const [anchors, between] = await Promise.all([roots, intermediates].map(async (each) => each && authoritiesIn(each)));
  const root = policyRoot("the policy", present({ anchors, between }));
  const { subjectEmail, subjectHostname } = subject;
  return {
    name: [subjectEmail, subjectHostname].flatMap((each) => (each === undefined ? [] : `"${each}"`)).join(" at "),
    verify: (content) => asVerdict(() => verifyByPki(content, root, subject)),
  };
}

type PkiSubject = Pick<RequiredPki, "subjectEmail" | "subjectHostname">;

function verifyByPki(
  { candidate, data, signature, form }: SignedContent,
  { material, isAnchor }: TrustedRoot,
  { subjectEmail, subjectHostname }: PkiSubject,
): SignerEvidence {
  const { certificate: bytes, intermediates } = materialOf(candidate);
  if (bytes === undefined) throw new NotSigned("it was signed with a key, not with a certificate");
  const certificate = signingCertificate(bytes, "if stated");
  const paths = pathsTo(material.certificateAuthorities, certificate.x509, intermediates, isAnchor);
  insistOnValidity(paths, new Date(), "");
  if (!isSignedBy(certificate, data, signature, form)) throw new NotSigned("somebody else made the signature");
  if (subjectEmail !== undefined) insistOnEmail(certificate.emails, subjectEmail);
  if (subjectHostname !== undefined) insistOnHost(new X509Certificate(bytes), subjectHostname);
  return present({ identity: subjectEmail ?? subjectHostname });
}

function insistOnEmail(emails: readonly string[], wanted: string): void {
  if (emails.includes(wanted)) return;
  const found = emails.length === 0 ? "no e-mail address" : emails.map((each) => `"${each}"`).join(" and ");
  throw new OtherIdentity(`its certificate names ${found}, and "${wanted}" is demanded`);
}

/** A wildcard in the certificate stands for the whole of the first label (RFC 6125, section 6.4.3). */
function insistOnHost(certificate: X509Certificate, wanted: string): void {
  const strict = { subject: "never", partialWildcards: false, multiLabelWildcards: false } as const;
  // With a dot at its beginning a name would stand for all below it.
  const isIt = wanted.startsWith(".")
    ? false
    : isIP(wanted) > 0
      ? certificate.checkIP(wanted) !== undefined
      : certificate.checkHost(wanted, strict) !== undefined;
  if (!isIt) throw new OtherIdentity(`its certificate does not name the host "${wanted}"`);
}
