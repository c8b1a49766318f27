import type { Defence } from "./defence.ts";

const at = "src/trust/keyless/";
const certificates = "trust/keyless/certificates";
const logs = "trust/keyless/logs";

type Row = readonly [what: string, file: string, without: readonly [string, string], test: readonly [string, string]];

const rows: readonly Row[] = [
  [
    "a certificate is one for signing code",
    "certificate.ts",
    ["if (!usages.includes(codeSigning)) throw", "if (false) throw"],
    [certificates, "not one for something else"],
  ],
  [
    "and is none of an authority",
    "certificate.ts",
    ["if (x509.extBasicConstraints?.isCA === true) throw", "if (false) throw"],
    [certificates, "not one of an authority"],
  ],
  [
    "and its key is for signatures",
    "certificate.ts",
    ["if (x509.extKeyUsage?.digitalSignature === false) throw", "if (false) throw"],
    [certificates, "not one whose key is not for signatures"],
  ],
  [
    "it has no extension twice",
    "certificate.ts",
    ["if (oids.has(oid)) throw", "if (false) throw"],
    [certificates, "the newer issuer twice"],
  ],
  [
    "and none that must be understood and is not",
    "certificate.ts",
    ["&& !understood.includes(oid)", `&& oid === ""`],
    [certificates, "not one with something critical that is not known"],
  ],
  [
    "and few in all",
    "certificate.ts",
    ["if (extensions.length > mostExtensions) throw", "if (false) throw"],
    [certificates, "not one with very many extensions"],
  ],
  [
    "its two issuers agree",
    "certificate.ts",
    ["if (older !== undefined && newer !== undefined && !older.equals(newer))", "if (false)"],
    [certificates, "two issuers that differ"],
  ],
  [
    "its names are printable",
    "certificate.ts",
    ["bytes.some((byte) => byte < 0x20 || byte > 0x7e)", "false"],
    [certificates, "a name with a zero in it"],
  ],
  [
    "an authority is one",
    "certificate.ts",
    ["x509.isCA &&\n", "\n"],
    [certificates, "and not one of an authority that is not an authority"],
  ],
  [
    "as far from the root as it may be",
    "certificate.ts",
    ["longest === undefined || longest >= BigInt(below)", "longest === undefined || longest >= 0"],
    [certificates, "nor one that is further from the root"],
  ],
  [
    "and for signing code",
    "certificate.ts",
    ["(usages === undefined || usages.includes(codeSigning) || usages.includes(anyUsage))", "true"],
    [certificates, "and not one of an authority that is not for signing code"],
  ],
  [
    "what comes with a signature is no root",
    "path.ts",
    ["if (anchors.includes(issuer)) return", "if (anchors.length > 0) return"],
    [certificates, "authorities that come with a signature lead to the root"],
  ],
  [
    "an authority of that name issued the certificate",
    "path.ts",
    [" || !last.verify(issuer)", ""],
    [certificates, "with a certificate that another authority issued under the same name"],
  ],
  [
    "an authority counts for the time that the root has it for",
    "path.ts",
    ["validFor.start <= time && time <= validFor.end", "validFor.start <= time"],
    [certificates, "an authority counts only for the time"],
  ],
  [
    "certificates were valid when it was signed",
    "path.ts",
    ["certificates.every((each) => each.validForDate(time))", "certificates.length > 0"],
    [certificates, "not one that had expired"],
  ],
  [
    "few certificates come with a signature",
    "material.ts",
    ["if (certificates.length > mostCertificates)", "if (false)"],
    [certificates, "authorities that come with a signature lead to the root"],
  ],
  [
    "the certificate is in a log of certificates",
    "certificate-log.ts",
    ["timestamp.verify(entry, publicKey)", "true"],
    [certificates, "without one, or in another's"],
  ],
  ["an identity is compared whole", "identity.ts", ["name === exact", "name.includes(exact)"], [certificates, "a URI"]],
  [
    "and an expression matches all of it",
    "identity.ts",
    [`\`^(?:\${expression})$\``, "expression"],
    [certificates, "expressions match as a whole"],
  ],
  [
    "an expression is one by itself",
    "identity.ts",
    [`    new RegExp(expression, "u");\n`, ""],
    [certificates, "an expression is one by itself"],
  ],
  [
    "and not long",
    "identity.ts",
    ["if (expression.length > longestExpression) throw", "if (false) throw"],
    [certificates, "an expression is one by itself"],
  ],
  [
    "who vouches for an identity counts",
    "identity.ts",
    [" && each.issuer.matches(issuer)", ""],
    [certificates, "who vouches for it"],
  ],
  [
    "a log entry is by the certificate itself",
    "log-entry.ts",
    ["signer.certificate.equals(certificate)", "signer.certificate.length > 0"],
    [logs, "dsse of version 1"],
  ],
  [
    "or by the key itself",
    "log-entry.ts",
    [`createPublicKey({ key: signer.key, format: "der", type: "spki" }).equals(key)`, "key !== undefined"],
    [logs, "not without, nor with an entry of another key"],
  ],
  [
    "it has the digest of what was signed",
    "verify.ts",
    ["createHash(hash).update(bytes).digest().equals(digest)", "bytes.length > 0"],
    [logs, "dsse of version 1"],
  ],
  [
    "and the signature",
    "verify.ts",
    ["compareSignature: (other) => other.equals(signature)", "compareSignature: () => true"],
    [logs, "dsse of version 1"],
  ],
  [
    "a signature is in a log, where the root names some",
    "verify.ts",
    ["if (tlogs.length > 0 && logs.size < fewestLogs) throw", "if (false) throw"],
    [logs, "a log, where the root names some"],
  ],
  [
    "the key of a log was valid when it was signed",
    "verify.ts",
    ["if (!times.every(isValidAt))", "if (false)"],
    [logs, "dsse of version 2: of a log whose key was not valid then"],
  ],
  [
    "a time that nobody signed is none",
    "verify.ts",
    ["    .filter(({ inclusionPromise }) => inclusionPromise !== undefined)\n", ""],
    [logs, "not the bare time beside an entry"],
  ],
  [
    "without anybody who says when, a certificate is valid now",
    "verify.ts",
    [`insistOnValidity(paths, new Date(), ": it needs a timestamp");`, ""],
    [logs, "one that has expired needs a timestamp"],
  ],
  [
    "the certificate's key made the signature",
    "verify.ts",
    ["isSignedBy({ key }, data, signature, form)", "key !== undefined"],
    [certificates, "with a signature of another key, although log and certificate agree"],
  ],
  [
    "whatever cannot be read is a verdict",
    "verdict.ts",
    ["throw new NotSigned(reasonOf(error), { cause: error });", "throw error;"],
    ["trust/keyless/mutations", "an authority whose key is none"],
  ],
  [
    "few log entries and timestamps come with it",
    "material.ts",
    ["if (timestamps.length > mostOfAKind) throw", "if (false) throw"],
    [logs, "a timestamp too often"],
  ],
  [
    "a trusted root says from when on each of its parts counts",
    "trusted-root.ts",
    ["period?.start === undefined", "period === undefined"],
    [logs, "a root says from when on"],
  ],
];

/** Each keeps a signature with a certificate, or one in a log, from counting where it must not. */
export const keylessDefences: readonly Defence[] = rows.map(([what, file, without, test]) => ({
  group: "signatures",
  what,
  file: at + file,
  without,
  test,
}));
