import type { X509Certificate } from "@sigstore/core";
import type { TrustMaterial } from "@sigstore/verify";
import { NotSigned } from "../candidate.ts";
import { isRoot, mayCertify } from "./certificate.ts";

/** An authority of a trusted root: its certificates, the root as the last one, and from when to when it counts. */
export type Authority = TrustMaterial["certificateAuthorities"][number];

/** How a certificate leads to an authority: the certificate first, then who issued it, and the root at the end (V11). */
export interface CertificatePath {
  readonly certificates: readonly X509Certificate[];
  readonly authority: Authority;
}

/**
 * Finds the paths from a certificate to the authorities, through their own certificates and those that came with it, of
 * which none is ever believed by itself. A path ends at a root, unless others may be the end of one. Throws `NotSigned` if there is none.
 */
export function pathsTo(
  authorities: readonly Authority[],
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  isAnchor: (certificate: X509Certificate) => boolean = isRoot,
): readonly CertificatePath[] {
  const paths = authorities.flatMap((authority) => {
    const certificates = shortestPath(
      leaf,
      [...authority.certChain, ...intermediates],
      authority.certChain.filter(isAnchor),
    );
    return certificates === undefined ? [] : { certificates, authority };
  });
  if (paths.length === 0) throw new NotSigned("no authority of the trusted root issued its certificate");
  return paths;
}

/** Insists that a path was valid at a time, as a whole. Throws `NotSigned`. */
export function insistOnValidity(paths: readonly CertificatePath[], time: Date, hint: string): void {
  const then = time.toISOString();
  const inTime = paths.filter(({ authority: { validFor } }) => validFor.start <= time && time <= validFor.end);
  if (inTime.length === 0) throw new NotSigned(`the trusted root has its authority for another time than ${then}`);
  if (inTime.some(({ certificates }) => certificates.every((each) => each.validForDate(time)))) return;
  const [leaf] = paths[0]?.certificates ?? [];
  const fault =
    leaf === undefined || leaf.validForDate(time)
      ? `an authority of its certificate was not valid at ${then}`
      : leaf.notAfter < time
        ? `its certificate expired at ${leaf.notAfter.toISOString()}, before ${then}`
        : `its certificate is valid from ${leaf.notBefore.toISOString()} on, after ${then}`;
  throw new NotSigned(`${fault}${hint}`);
}

/** Looks at each certificate once, breadth first, so that certificates that certify each other cost no more. */
function shortestPath(
  leaf: X509Certificate,
  issuers: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
): readonly X509Certificate[] | undefined {
  const rest = new Set(issuers);
  const paths: (readonly X509Certificate[])[] = [[leaf]];
  for (const path of paths) {
    const last = path.at(-1) ?? leaf;
    for (const issuer of rest) {
      if (!issuer.subject.equals(last.issuer) || !last.verify(issuer)) continue;
      if (!mayCertify(issuer, path.length - 1)) continue;
      rest.delete(issuer);
      const longer = [...path, issuer];
      if (anchors.includes(issuer)) return longer;
      paths.push(longer);
    }
  }
  return undefined;
}
