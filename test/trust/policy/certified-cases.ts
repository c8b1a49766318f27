import { bundles, casesOf, demanding, type PolicyCase, type Row } from "./cases.ts";

// Requirements for certificates and logs.

const email = "builder@people.example";
const sigstore = (of: object) => demanding({ type: "sigstoreSigned", ...of });
const byName = { signedIdentity: { type: "matchRepository" } };

const pki = (more: object = {}, of: object = {}) =>
  sigstore({ pki: { caRootsPath: "PLACE/pki-root.pem", subjectEmail: email, ...more }, ...of });
const pkiGood = "HOST/pki/good:1";

const ofPki: readonly Row[] = [
  ["an address", pkiGood, pki(), "accepted"],
  ["another address", pkiGood, pki({ subjectEmail: "other@people.example" }), "rejected"],
  ["the address in other letters", pkiGood, pki({ subjectEmail: "builder@PEOPLE.example" }), "rejected"],
  ["the beginning of an address", pkiGood, pki({ subjectEmail: "builder@people" }), "rejected"],
  ["an address that is a URI", "HOST/pki/uri:1", pki(), "rejected"],
  ["a host", pkiGood, pki({ subjectEmail: undefined, subjectHostname: "builder.example" }), "accepted"],
  [
    "a host in other letters",
    pkiGood,
    pki({ subjectEmail: undefined, subjectHostname: "BUILDER.example" }),
    "accepted",
  ],
  ["another host", pkiGood, pki({ subjectEmail: undefined, subjectHostname: "other.example" }), "rejected"],
  ["a host below", pkiGood, pki({ subjectEmail: undefined, subjectHostname: "a.builder.example" }), "rejected"],
  ["all hosts below", pkiGood, pki({ subjectEmail: undefined, subjectHostname: ".example" }), "rejected"],
  ["a host of a wildcard", pkiGood, pki({ subjectEmail: undefined, subjectHostname: "a.wild.example" }), "accepted"],
  [
    "two labels of a wildcard",
    pkiGood,
    pki({ subjectEmail: undefined, subjectHostname: "a.b.wild.example" }),
    "rejected",
  ],
  ["a wildcard itself", pkiGood, pki({ subjectEmail: undefined, subjectHostname: "wild.example" }), "rejected"],
  ["an IP address", "HOST/pki/address:1", pki({ subjectEmail: undefined, subjectHostname: "127.0.0.1" }), "accepted"],
  [
    "another IP address",
    "HOST/pki/address:1",
    pki({ subjectEmail: undefined, subjectHostname: "127.0.0.2" }),
    "rejected",
  ],
  ["an address and a host", pkiGood, pki({ subjectHostname: "builder.example" }), "accepted"],
  ["an address, and another host", pkiGood, pki({ subjectHostname: "other.example" }), "rejected"],
  ["roots in the policy", pkiGood, pki({ caRootsPath: undefined, caRootsData: "BASE64(pki-root.pem)" }), "accepted"],
  ["one of two roots", pkiGood, pki({ caRootsPath: "PLACE/pki-both.pem" }), "accepted"],
  ["another root", pkiGood, pki({ caRootsPath: "PLACE/pki-other.pem" }), "rejected"],
  ["a root that is not there", pkiGood, pki({ caRootsPath: "PLACE/none.pem" }), "rejected"],
  ["a root that is a key", pkiGood, pki({ caRootsPath: "PLACE/first.pub" }), "rejected"],
  ["an authority below a root as the root", pkiGood, pki({ caRootsPath: "PLACE/pki-intermediate.pem" }), "accepted"],
  ["an authority that nobody names", "HOST/pki/no-chain:1", pki(), "rejected"],
  [
    "and one that the policy names",
    "HOST/pki/no-chain:1",
    pki({ caIntermediatesPath: "PLACE/pki-intermediate.pem" }),
    "accepted",
  ],
  [
    "and one that the policy has",
    "HOST/pki/no-chain:1",
    pki({ caIntermediatesData: "BASE64(pki-intermediate.pem)" }),
    "accepted",
  ],
  ["another authority's certificate", "HOST/pki/stranger:1", pki(), "rejected"],
  ["a certificate that has expired", "HOST/pki/expired:1", pki(), "rejected"],
  ["a certificate of later", "HOST/pki/future:1", pki(), "rejected"],
  ["an authority that has expired", "HOST/pki/expired-authority:1", pki(), "rejected"],
  ["an authority that is too far from the root", "HOST/pki/too-far:1", pki(), "rejected"],
  ["an authority that is none", "HOST/pki/no-authority:1", pki(), "rejected"],
  ["an authority for other addresses", "HOST/pki/constrained-otherwise:1", pki(), "rejected"],
  [
    "an authority for such addresses",
    "HOST/pki/constrained:1",
    pki(),
    "rejected",
    "names are not compared with what an authority may certify",
  ],
  ["a certificate for nothing in particular", "HOST/pki/no-purpose:1", pki(), "accepted"],
  ["a certificate for everything", "HOST/pki/any-purpose:1", pki(), "accepted"],
  ["a certificate for servers", "HOST/pki/other-purpose:1", pki(), "rejected"],
  ["a signature by another key", "HOST/pki/other-key:1", pki(), "rejected"],
  ["a signature by a key alone", "HOST/pki/key-alone:1", pki(), "rejected"],
  ["a bundle", "HOST/pki/bundle:1", pki({}, byName), "accepted", bundles],
  ["a bundle by another", "HOST/pki/bundle:1", pki({ subjectEmail: "other@people.example" }, byName), "rejected"],
];

const issuer = "https://login.example";
const fulcio = (more: object = {}, of: object = {}) =>
  sigstore({
    fulcio: { caPath: "PLACE/fulcio.pem", oidcIssuer: issuer, subjectEmail: email, ...more },
    rekorPublicKeyPath: "PLACE/rekor.pub",
    ...of,
  });
const fulcioGood = "HOST/fulcio/good:1";
const anyLog = { rekorPublicKeyPath: undefined, rekorPublicKeyPaths: ["PLACE/other-rekor.pub", "PLACE/rekor.pub"] };

const ofFulcio: readonly Row[] = [
  ["an address", fulcioGood, fulcio(), "accepted"],
  ["another address", fulcioGood, fulcio({ subjectEmail: "other@people.example" }), "rejected"],
  ["an address that is a URI", "HOST/fulcio/uri:1", fulcio(), "rejected"],
  ["another issuer", fulcioGood, fulcio({ oidcIssuer: `${issuer}/` }), "rejected"],
  ["the beginning of an issuer", fulcioGood, fulcio({ oidcIssuer: "https://login" }), "rejected"],
  ["an expression for an issuer", fulcioGood, fulcio({ oidcIssuer: ".*" }), "rejected"],
  ["the older issuer alone", "HOST/fulcio/older-issuer:1", fulcio(), "accepted"],
  ["the newer issuer alone", "HOST/fulcio/newer-issuer:1", fulcio(), "accepted"],
  ["no issuer", "HOST/fulcio/no-issuer:1", fulcio(), "rejected"],
  ["two issuers", "HOST/fulcio/two-issuers:1", fulcio(), "rejected"],
  ["authorities in the policy", fulcioGood, fulcio({ caPath: undefined, caData: "BASE64(fulcio.pem)" }), "accepted"],
  ["another authority", fulcioGood, fulcio({ caPath: "PLACE/pki-root.pem" }), "rejected"],
  [
    "an authority below a root as the root",
    fulcioGood,
    fulcio({ caPath: "PLACE/fulcio-intermediate.pem" }),
    "accepted",
  ],
  ["an authority that nobody names", "HOST/fulcio/no-chain:1", fulcio(), "rejected"],
  ["a certificate in no log of certificates", "HOST/fulcio/without-certificate-log:1", fulcio(), "accepted"],
  [
    "a certificate for nothing in particular",
    "HOST/fulcio/no-purpose:1",
    fulcio(),
    "rejected",
    "Fulcio's certificates are for signing code",
  ],
  [
    "a log's key in the policy",
    fulcioGood,
    fulcio({}, { rekorPublicKeyPath: undefined, rekorPublicKeyData: "BASE64(rekor.pub)" }),
    "accepted",
  ],
  ["one of two logs", fulcioGood, fulcio({}, anyLog), "accepted"],
  ["another log", fulcioGood, fulcio({}, { rekorPublicKeyPath: "PLACE/other-rekor.pub" }), "rejected"],
  ["an entry of another log", "HOST/fulcio/other-log:1", fulcio(), "rejected"],
  ["no entry", "HOST/fulcio/no-entry:1", fulcio(), "rejected"],
  ["an entry of another signature", "HOST/fulcio/other-entry:1", fulcio(), "rejected"],
  ["an entry of another certificate", "HOST/fulcio/other-certificate:1", fulcio(), "rejected"],
  ["an entry of a time when the certificate had expired", "HOST/fulcio/late:1", fulcio(), "rejected"],
  ["a bundle", "HOST/fulcio/bundle:1", fulcio({}, byName), "accepted", bundles],
  ["a bundle by another", "HOST/fulcio/bundle:1", fulcio({ subjectEmail: "other@people.example" }, byName), "rejected"],
  [
    "a bundle of another log",
    "HOST/fulcio/bundle:1",
    fulcio({}, { ...byName, rekorPublicKeyPath: "PLACE/other-rekor.pub" }),
    "rejected",
  ],
];

const inLog = (more: object = {}) =>
  sigstore({ keyPath: "PLACE/first.pub", rekorPublicKeyPath: "PLACE/rekor.pub", ...more });

const ofLogs: readonly Row[] = [
  ["a key", "HOST/log/good:1", inLog(), "accepted"],
  ["another key", "HOST/log/good:1", inLog({ keyPath: "PLACE/second.pub" }), "rejected"],
  [
    "one of two keys",
    "HOST/log/good:1",
    inLog({ keyPath: undefined, keyPaths: ["PLACE/second.pub", "PLACE/first.pub"] }),
    "accepted",
  ],
  ["one of two logs", "HOST/log/good:1", inLog(anyLog), "accepted"],
  ["another log", "HOST/log/good:1", inLog({ rekorPublicKeyPath: "PLACE/other-rekor.pub" }), "rejected"],
  ["a log's key that is not there", "HOST/log/good:1", inLog({ rekorPublicKeyPath: "PLACE/none.pub" }), "rejected"],
  ["a log's key that is none", "HOST/log/good:1", inLog({ rekorPublicKeyPath: "PLACE/nonsense.pub" }), "rejected"],
  ["no entry", "HOST/log/no-entry:1", inLog(), "rejected"],
  ["an entry of another log", "HOST/log/other-log:1", inLog(), "rejected"],
  ["an entry of another key", "HOST/log/other-key:1", inLog(), "rejected"],
  ["an entry of another signature", "HOST/log/other-signature:1", inLog(), "rejected"],
  ["an entry of another payload", "HOST/log/other-payload:1", inLog(), "rejected"],
];

/** The cases about certificates and logs. */
export const certifiedCases: readonly PolicyCase[] = [
  ...casesOf("pki", ofPki),
  ...casesOf("fulcio", ofFulcio),
  ...casesOf("log", ofLogs),
];
