import type { RegistryRuleSection } from "./registry-rule-table.ts";

/** What is done so that a signature, an attestation or a policy is not believed wrongly: `V1` to `V26`. */
export const trustRules: RegistryRuleSection = {
  heading: "Signatures, attestations and policies",
  rules: [
    {
      rule: "V1",
      says: "A tag is resolved once; signatures, config and layers are those of that digest, and nothing is asked for by the tag again.",
      sources: "CVE-2022-47633",
    },
    {
      rule: "V2",
      says: "A manifest's bytes are hashed here, and that digest is compared with the one that was signed, whole and exactly.",
      sources: "CVE-2023-33959",
    },
    {
      rule: "V3",
      says: "A signature is one of the bytes as they came; they are parsed only after it was verified, and strictly: no key twice.",
      sources: "containers/image, `signature/internal`",
    },
    {
      rule: "V4",
      says: "The types of payloads, envelopes and statements are compared, and an envelope has exactly one signature.",
      sources: "DSSE; in-toto attestation; sigstore-js; cosign",
    },
    {
      rule: "V5",
      says: "The type of an attestation that is demanded is among those that were verified.",
      sources: "CVE-2022-35929; CVE-2022-35930",
    },
    {
      rule: "V6",
      says: "An attestation is no signature, unless its predicate is nothing but one; a signature is no attestation.",
      sources: "CVE-2022-35929; CVE-2022-35930",
    },
    {
      rule: "V7",
      says: "The manifest that has a bundle says itself what it refers to; a listing is a hint. Listings, counts and sizes have limits. An answer of the referrers API is final; the tag that stands for it is asked for after a 404 only.",
      sources: 'distribution-spec, spec.md, "Listing Referrers"; CVE-2023-46737; CVE-2023-33957',
    },
    {
      rule: "V8",
      says: "An error while signatures are fetched is an error, and not an image without signatures. Formats are asked for in one order, and the first good signature ends the search.",
      sources: "cosign",
    },
    {
      rule: "V9",
      says: "One good signature is enough for a demand, and every demand needs one.",
      sources: "containers-policy.json(5)",
    },
    {
      rule: "V10",
      says: "An identity is an issuer and a subject, compared exactly; both issuers of a certificate agree.",
      sources: "containers/image, `fulcio_cert.go`; sigstore-js",
    },
    {
      rule: "V11",
      says: "A certificate leads to an authority of the trusted root, valid when it signed; usage, CA flags and path length are right. What a bundle brings is no anchor.",
      sources: "RFC 5280, section 6; sigstore-conformance",
    },
    {
      rule: "V12",
      says: "A log entry, an SCT and a time are demanded as far as the trusted root names who gives them; the time is one that was verified, never a bare `integratedTime`.",
      sources: "sigstore-conformance",
    },
    {
      rule: "V13",
      says: "Only where the trusted root names no log and no timestamp authority may the time be missing: then the certificate is valid now.",
      sources: "cosign",
    },
    {
      rule: "V14",
      says: "The certificate's SCT is verified, except under a policy, which has no keys for it.",
      sources: "RFC 6962, section 3; kyverno",
    },
    {
      rule: "V15",
      says: "A log entry is of the kind that is expected, and of this payload, this signature, and this key or certificate; its log is one of the trusted root, whose key was valid then.",
      sources: "CVE-2022-36056",
    },
    { rule: "V16", says: "What is counted is logs, not entries.", sources: "sigstore-go" },
    { rule: "V17", says: "The digest that a bundle states is compared with the real one.", sources: "sigstore-python" },
    {
      rule: "V18",
      says: "A simple signing has SHA-256, a bundle also the curve's own hash. Other types of keys, short RSA keys and what is not DER are errors that say so.",
      sources: "cosign; skopeo",
    },
    { rule: "V19", says: "A manifest that is an index too is refused.", sources: "CVE-2021-41190" },
    {
      rule: "V20",
      says: "A mirror may give signatures; that it has none is no answer, and the registry is asked.",
      sources: "containerd, `hosts.toml`",
    },
    {
      rule: "V21",
      says: "Offline, signatures are found in the store, where they were kept when they were verified, or it is an error.",
      sources: "this project",
    },
    {
      rule: "V22",
      says: "Credentials for what is asked about signatures are chosen by the exact host.",
      sources: "sigstore-js",
    },
    { rule: "V23", says: "Nothing makes a demand that failed a warning.", sources: "CVE-2024-23332" },
    { rule: "V24", says: "The decision and its evidence are in the result.", sources: "`gh attestation verify`" },
    {
      rule: "V25",
      says: "An index's signature covers its manifests: the index is asked about first, then the manifest that was chosen. Under a policy the chosen manifest is signed.",
      sources: "cosign; containers/image",
    },
    {
      rule: "V26",
      says: "Each candidate that failed is told with its own reason; what is missing is told from what is wrong, and from what somebody else signed.",
      sources: "this project",
    },
  ],
};
