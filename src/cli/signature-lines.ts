import type { VerifiedSignature } from "../index.ts";
import { safeText } from "./safe-text.ts";

/** Who signed or attested an image, a line for each thing that was demanded; none where nothing was. */
export function signatureLines({ verified = [] }: { readonly verified?: readonly VerifiedSignature[] }): string[] {
  return verified.map((signature) => {
    const { format, of, predicateTypes } = signature;
    const what = predicateTypes === undefined ? "signed" : `attested ${predicateTypes.map(safeText).join(", ")}`;
    const facts = [`${formatNames[format]} of the ${of}`, ...timesOf(signature)];
    return `  ${what} by ${signerOf(signature)} (${facts.join(", ")})`;
  });
}

/** The formats in words. */
export const formatNames: Readonly<Record<VerifiedSignature["format"], string>> = {
  bundle: "bundle",
  "simple-signing": "simple signing",
  attestation: "attestation",
};

function signerOf({ key, identity, issuer }: VerifiedSignature): string {
  if (key !== undefined) return `the key ${key}`;
  const who = identity === undefined ? "whom a certificate does not name" : safeText(identity);
  return issuer === undefined ? who : `${who}, as ${safeText(issuer)} says`;
}

function timesOf({ loggedAtSeconds, timestampedAtSeconds }: VerifiedSignature): string[] {
  const logged = loggedAtSeconds === undefined ? [] : [`logged ${momentText(loggedAtSeconds)}`];
  return timestampedAtSeconds === undefined ? logged : [...logged, `timestamped ${momentText(timestampedAtSeconds)}`];
}

/** `2026-01-02T03:04:05Z` */
export function momentText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
