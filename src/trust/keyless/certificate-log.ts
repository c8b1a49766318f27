import { createHash } from "node:crypto";
import { ByteStream, EXTENSION_OID_SCT, type X509Certificate } from "@sigstore/core";
import type { TrustMaterial } from "@sigstore/verify";
import { NotSigned } from "../candidate.ts";

/**
 * Insists that one of the logs of certificates has a certificate: that it signed a timestamp of it, which the certificate has
 * in itself (RFC 6962, section 3.2). Throws `NotSigned`.
 */
export function insistOnCertificateLog(
  certificate: X509Certificate,
  issuer: X509Certificate,
  logs: TrustMaterial["ctlogs"],
): void {
  const timestamps = certificate.extSCT?.signedCertificateTimestamps ?? [];
  if (timestamps.length === 0) throw new NotSigned("its certificate is in no log of certificates");
  const entry = loggedEntry(certificate, issuer);
  const isLogged = timestamps.some((timestamp) =>
    logs.some(
      ({ logID, publicKey, validFor: { start, end } }) =>
        logID.equals(timestamp.logID) &&
        start <= timestamp.datetime &&
        timestamp.datetime <= end &&
        timestamp.verify(entry, publicKey),
    ),
  );
  if (!isLogged) throw new NotSigned("its certificate is in no log of certificates that the trusted root names");
}

/** What a log has of a certificate: who issues it, and what it says without the timestamps (`PreCert`). */
function loggedEntry(certificate: X509Certificate, issuer: X509Certificate): Buffer {
  const rest = certificate.clone();
  const place = rest.extensions.findIndex(({ subs }) => subs[0]?.toOID() === EXTENSION_OID_SCT);
  rest.extensions.splice(place, 1);
  const content = rest.tbsCertificate.toDER();
  const entry = new ByteStream();
  entry.appendView(createHash("sha256").update(issuer.publicKey).digest());
  entry.appendUint24(content.length);
  entry.appendView(content);
  return entry.buffer;
}
