/**
 * One policy and one image. `HOST` in them is the registry, `PLACE` the directory with keys and local images, and `BASE64(x)`
 * a file there in base64.
 */
export interface PolicyCase {
  readonly title: string;
  readonly image: string;
  /** As JSON, or its text. */
  readonly policy: unknown;
  readonly verdict: PolicyVerdict;
  /** Why skopeo has the other verdict, where that is deliberate. */
  readonly unlikeSkopeo?: string;
}

export type PolicyVerdict = "accepted" | "rejected";

const accept = { type: "insecureAcceptAnything" };
const reject = { type: "reject" };

/** A requirement for a signature with the first key. */
const signed = (more: object = {}) => ({ type: "sigstoreSigned", keyPath: "PLACE/first.pub", ...more });
const signedWith = (more: object) => ({ type: "sigstoreSigned", ...more });
const signedAs = (type: string, more: object = {}) => signed({ signedIdentity: { type, ...more } });

/** A policy that rejects all but what its scopes say. */
const scopes = (transport: string, of: object) => ({ default: [reject], transports: { [transport]: of } });
const accepting = (...names: readonly string[]) =>
  scopes("docker", Object.fromEntries(names.map((name) => [name, [accept]])));
export const demanding = (...requirements: readonly object[]) => scopes("docker", { "": requirements });

const plain = "HOST/app/plain:1";
const plainDigest = "HOST/app/plain@DIGEST";

export type Row = readonly [
  title: string,
  image: string,
  policy: unknown,
  verdict: PolicyVerdict,
  unlikeSkopeo?: string | undefined,
];

const ofScopes: readonly Row[] = [
  ["the default accepts", plain, { default: [accept] }, "accepted"],
  ["the default rejects", plain, { default: [reject] }, "rejected"],
  ["a transport's default goes before that of all", plain, scopes("docker", { "": [accept] }), "accepted"],
  ["and so does one that rejects", plain, { default: [accept], transports: { docker: { "": [reject] } } }, "rejected"],
  ["another transport's default does not count", plain, scopes("dir", { "": [accept] }), "rejected"],
  ["a transport without scopes", plain, { default: [accept], transports: { docker: {} } }, "accepted"],
  ["transports without any", plain, { default: [accept], transports: {} }, "accepted"],
  ["the reference", plain, accepting("HOST/app/plain:1"), "accepted"],
  ["another tag", plain, accepting("HOST/app/plain:2"), "rejected"],
  ["the reference with its digest", plainDigest, accepting("HOST/app/plain@DIGEST"), "accepted"],
  ["a tag for what was asked for by digest", plainDigest, accepting("HOST/app/plain:1"), "rejected"],
  ["a digest for what was asked for by tag", plain, accepting("HOST/app/plain@DIGEST"), "rejected"],
  ["the repository", plain, accepting("HOST/app/plain"), "accepted"],
  ["the repository, by digest", plainDigest, accepting("HOST/app/plain"), "accepted"],
  ["the namespace", plain, accepting("HOST/app"), "accepted"],
  ["the host with its port", plain, accepting("HOST"), "accepted"],
  ["the host without its port", plain, accepting("127.0.0.1"), "rejected"],
  ["the beginning of a name is no namespace", plain, accepting("HOST/ap", "HOST/app/pla"), "rejected"],
  ["a namespace without its host", plain, accepting("app", "app/plain"), "rejected"],
  ["a scope with a slash at its end", plain, accepting("HOST/app/"), "rejected"],
  ["a wildcard for the domain", plain, accepting("*.0.0.1"), "accepted"],
  ["a wildcard for the domain's domain", plain, accepting("*.1"), "accepted"],
  ["a wildcard for the host itself", plain, accepting("*.127.0.0.1"), "rejected"],
  ["a wildcard with a port", plain, accepting("*.0.0.1:5000"), "rejected"],
  ["a wildcard for everything", plain, accepting("*", "*."), "rejected"],
  ["a wildcard within a name", plain, accepting("HOST/*", "HOST/app/*"), "rejected"],
  [
    "a repository goes before its namespace",
    plain,
    scopes("docker", { "HOST/app": [accept], "HOST/app/plain": [reject] }),
    "rejected",
  ],
  [
    "a reference goes before its repository",
    plain,
    scopes("docker", { "HOST/app/plain": [reject], "HOST/app/plain:1": [accept] }),
    "accepted",
  ],
  ["a host goes before a wildcard", plain, scopes("docker", { HOST: [reject], "*.0.0.1": [accept] }), "rejected"],
  [
    "a longer wildcard goes before a shorter one",
    plain,
    scopes("docker", { "*.1": [accept], "*.0.0.1": [reject] }),
    "rejected",
  ],
  [
    "a wildcard goes before the transport's default",
    plain,
    scopes("docker", { "*.1": [accept], "": [reject] }),
    "accepted",
  ],
  ["a directory", "dir:PLACE/images/dir", scopes("dir", { "PLACE/images/dir": [accept] }), "accepted"],
  ["a directory's directory", "dir:PLACE/images/dir", scopes("dir", { "PLACE/images": [accept] }), "accepted"],
  [
    "the beginning of a path is no directory",
    "dir:PLACE/images/dir",
    scopes("dir", { "PLACE/images/di": [accept] }),
    "rejected",
  ],
  [
    "a directory with a slash at its end",
    "dir:PLACE/images/dir/",
    scopes("dir", { "PLACE/images/dir": [accept] }),
    "accepted",
  ],
  [
    "a directory through a symlink counts where it is",
    "dir:PLACE/link/dir",
    scopes("dir", { "PLACE/images": [accept] }),
    "accepted",
  ],
  ["and not where the symlink is", "dir:PLACE/link/dir", scopes("dir", { "PLACE/link": [accept] }), "rejected"],
  ["a layout", "oci:PLACE/images/layout:1", scopes("oci", { "PLACE/images/layout": [accept] }), "accepted"],
  [
    "a layout with its tag is no scope",
    "oci:PLACE/images/layout:1",
    scopes("oci", { "PLACE/images/layout:1": [accept] }),
    "rejected",
  ],
  [
    "a layout is no directory",
    "oci:PLACE/images/layout:1",
    scopes("dir", { "PLACE/images/layout": [accept] }),
    "rejected",
  ],
  [
    "an archive of a layout",
    "oci-archive:PLACE/images/layout.tar:1",
    scopes("oci-archive", { "PLACE/images/layout.tar": [accept] }),
    "accepted",
  ],
  [
    "a docker archive",
    "docker-archive:PLACE/images/docker.tar",
    scopes("docker-archive", { "": [accept] }),
    "accepted",
  ],
  [
    "a docker archive of which a signature is demanded",
    "docker-archive:PLACE/images/docker.tar",
    scopes("docker-archive", { "": [signed()] }),
    "rejected",
  ],
];

const ofRequirements: readonly Row[] = [
  ["one requirement that rejects is enough", plain, demanding(accept, reject), "rejected"],
  ["two that accept", plain, demanding(accept, accept), "accepted"],
  [
    "GPG",
    "HOST/app/tagged:1",
    demanding({ type: "signedBy", keyType: "GPGKeys", keyPath: "PLACE/first.pub" }),
    "rejected",
  ],
  [
    "GPG beside a key",
    "HOST/app/tagged:1",
    demanding(signed(), { type: "signedBy", keyType: "GPGKeys", keyData: "BASE64(first.pub)" }),
    "rejected",
  ],
  [
    "signedBaseLayer",
    "HOST/app/tagged:1",
    demanding({ type: "signedBaseLayer", baseLayerIdentity: { type: "matchExact" } }),
    "rejected",
  ],
  ["no signature", plain, demanding(signed()), "rejected"],
  ["no signature, and another requirement that accepts", plain, demanding(accept, signed()), "rejected"],
  ["a key", "HOST/app/tagged:1", demanding(signed()), "accepted"],
  ["a key, and another requirement that accepts", "HOST/app/tagged:1", demanding(signed(), accept), "accepted"],
  ["a signature in lines", "HOST/app/wrapped:1", demanding(signed()), "accepted"],
  ["another key", "HOST/app/tagged:1", demanding(signedWith({ keyPath: "PLACE/second.pub" })), "rejected"],
  [
    "one of two keys",
    "HOST/app/tagged:1",
    demanding(signedWith({ keyPaths: ["PLACE/second.pub", "PLACE/first.pub"] })),
    "accepted",
  ],
  [
    "none of two keys",
    "HOST/app/tagged:1",
    demanding(signedWith({ keyPaths: ["PLACE/second.pub", "PLACE/third.pub"] })),
    "rejected",
  ],
  ["a key in the policy", "HOST/app/tagged:1", demanding(signedWith({ keyData: "BASE64(first.pub)" })), "accepted"],
  [
    "one of two keys in the policy",
    "HOST/app/tagged:1",
    demanding(signedWith({ keyDatas: ["BASE64(second.pub)", "BASE64(first.pub)"] })),
    "accepted",
  ],
  [
    "another key in the policy",
    "HOST/app/tagged:1",
    demanding(signedWith({ keyData: "BASE64(second.pub)" })),
    "rejected",
  ],
  ["a key that is not there", "HOST/app/tagged:1", demanding(signedWith({ keyPath: "PLACE/none.pub" })), "rejected"],
  [
    "one of two keys is not there",
    "HOST/app/tagged:1",
    demanding(signedWith({ keyPaths: ["PLACE/first.pub", "PLACE/none.pub"] })),
    "rejected",
  ],
  ["a key that is none", "HOST/app/tagged:1", demanding(signedWith({ keyPath: "PLACE/nonsense.pub" })), "rejected"],
  [
    "a key in the policy that is none",
    "HOST/app/tagged:1",
    demanding(signedWith({ keyData: "bm9uc2Vuc2U=" })),
    "rejected",
  ],
  [
    "a key that is not there matters where it is demanded alone",
    plain,
    scopes("docker", { "": [accept], "HOST/other": [signedWith({ keyPath: "PLACE/none.pub" })] }),
    "accepted",
  ],
  [
    "both of two requirements hold, each by a signature of its own",
    "HOST/app/both:1",
    demanding(signed(), signedWith({ keyPath: "PLACE/second.pub" })),
    "accepted",
  ],
  [
    "one of two requirements does not hold",
    "HOST/app/tagged:1",
    demanding(signed(), signedWith({ keyPath: "PLACE/second.pub" })),
    "rejected",
  ],
  [
    "the second of two signatures is good",
    "HOST/app/both:1",
    demanding(signedWith({ keyPath: "PLACE/second.pub" })),
    "accepted",
  ],
  ["a signature of another image", "HOST/app/other-digest:1", demanding(signedAs("matchRepository")), "rejected"],
  ["a signature of other bytes", "HOST/app/tampered:1", demanding(signed()), "rejected"],
  ["a payload of another type", "HOST/app/other-type:1", demanding(signed()), "rejected"],
  ["a payload with more that is critical", "HOST/app/more-critical:1", demanding(signed()), "rejected"],
  ["a key on P-384", "HOST/app/p384:1", demanding(signedWith({ keyPath: "PLACE/p384.pub" })), "accepted"],
  ["an RSA key", "HOST/app/rsa:1", demanding(signedWith({ keyPath: "PLACE/rsa.pub" })), "accepted"],
  ["an Ed25519 key", "HOST/app/ed25519:1", demanding(signedWith({ keyPath: "PLACE/ed25519.pub" })), "accepted"],
  ["the index is signed, and not the manifest in it", "HOST/app/signed-index:1", demanding(signed()), "rejected"],
  ["the manifest in an index is signed", "HOST/app/signed-instance:1", demanding(signed()), "accepted"],
];

const vendor = "registry.example/vendor/app";
const foreign = "HOST/app/foreign:1";
const remapped = (prefix: string, signedPrefix: string) => signedAs("remapIdentity", { prefix, signedPrefix });
export const bundles = "skopeo does not know bundles";

const ofIdentities: readonly Row[] = [
  ["the same name", "HOST/app/tagged:1", demanding(signedAs("matchRepoDigestOrExact")), "accepted"],
  ["exactly the same name", "HOST/app/tagged:1", demanding(signedAs("matchExact")), "accepted"],
  ["the same repository", "HOST/app/tagged:1", demanding(signedAs("matchRepository")), "accepted"],
  ["another tag", "HOST/app/tagged:2", demanding(signed()), "rejected"],
  ["another tag, matchExact", "HOST/app/tagged:2", demanding(signedAs("matchExact")), "rejected"],
  ["another tag, matchRepository", "HOST/app/tagged:2", demanding(signedAs("matchRepository")), "accepted"],
  ["by digest", "HOST/app/tagged@DIGEST", demanding(signed()), "accepted"],
  ["by digest, matchExact", "HOST/app/tagged@DIGEST", demanding(signedAs("matchExact")), "rejected"],
  ["by digest, matchRepository", "HOST/app/tagged@DIGEST", demanding(signedAs("matchRepository")), "accepted"],
  [
    "signed by digest, asked for by digest, matchExact",
    "HOST/app/digest@DIGEST",
    demanding(signedAs("matchExact")),
    "accepted",
  ],
  ["signed by digest, asked for by tag", "HOST/app/digest:1", demanding(signed()), "rejected"],
  ["a repository alone, as cosign writes it", "HOST/app/cosign:1", demanding(signed()), "rejected"],
  ["a repository alone, by digest", "HOST/app/cosign@DIGEST", demanding(signed()), "rejected"],
  ["a repository alone, matchExact", "HOST/app/cosign:1", demanding(signedAs("matchExact")), "rejected"],
  ["a repository alone, matchRepository", "HOST/app/cosign:1", demanding(signedAs("matchRepository")), "accepted"],
  [
    "a repository alone, exactRepository",
    "HOST/app/cosign:1",
    demanding(signedAs("exactRepository", { dockerRepository: "HOST/app/cosign" })),
    "accepted",
  ],
  [
    "a repository alone, exactReference",
    "HOST/app/cosign:1",
    demanding(signedAs("exactReference", { dockerReference: "HOST/app/cosign:1" })),
    "rejected",
  ],
  ["another name", foreign, demanding(signed()), "rejected"],
  ["another name, matchRepository", foreign, demanding(signedAs("matchRepository")), "rejected"],
  [
    "another name, exactReference",
    foreign,
    demanding(signedAs("exactReference", { dockerReference: `${vendor}:1` })),
    "accepted",
  ],
  [
    "another name, another exactReference",
    foreign,
    demanding(signedAs("exactReference", { dockerReference: `${vendor}:2` })),
    "rejected",
  ],
  [
    "another name, exactRepository",
    foreign,
    demanding(signedAs("exactRepository", { dockerRepository: vendor })),
    "accepted",
  ],
  [
    "exactRepository with a tag",
    foreign,
    demanding(signedAs("exactRepository", { dockerRepository: `${vendor}:2` })),
    "accepted",
  ],
  [
    "another name, another exactRepository",
    foreign,
    demanding(signedAs("exactRepository", { dockerRepository: `${vendor}/more` })),
    "rejected",
  ],
  ["a repository for another", foreign, demanding(remapped("HOST/app/foreign", vendor)), "accepted"],
  [
    "a namespace for another",
    "HOST/vendor/app:1",
    demanding(remapped("HOST/vendor", "registry.example/vendor")),
    "accepted",
  ],
  ["a host for another", "HOST/vendor/app:1", demanding(remapped("HOST", "registry.example")), "accepted"],
  [
    "a host for another, by digest",
    "HOST/vendor/app@DIGEST",
    demanding(remapped("HOST", "registry.example")),
    "accepted",
  ],
  [
    "a host for another, with another tag",
    "HOST/vendor/app:2",
    demanding(remapped("HOST", "registry.example")),
    "rejected",
  ],
  [
    "the beginning of a name is not remapped",
    "HOST/vendor/app:1",
    demanding(remapped("HOST/ven", "registry.example/ven")),
    "rejected",
  ],
  [
    "what is not remapped is compared as it is",
    "HOST/app/tagged:1",
    demanding(remapped("registry.example", "other.example")),
    "accepted",
  ],
  [
    "a short name in the policy",
    "HOST/app/hub:1",
    demanding(signedAs("exactReference", { dockerReference: "busybox:1" })),
    "accepted",
  ],
  [
    "and in the signature",
    "HOST/app/short:1",
    demanding(signedAs("exactRepository", { dockerRepository: "docker.io/library/busybox" })),
    "accepted",
  ],
  ["a name that is none", "HOST/app/nameless:1", demanding(signedAs("matchRepository")), "rejected"],
  [
    "a directory has no name",
    "dir:PLACE/images/signed",
    scopes("dir", { "": [signedAs("matchRepository")] }),
    "rejected",
  ],
  ["a directory, by default", "dir:PLACE/images/signed", scopes("dir", { "": [signed()] }), "rejected"],
  [
    "a directory, remapped",
    "dir:PLACE/images/signed",
    scopes("dir", { "": [remapped("HOST", "registry.example")] }),
    "rejected",
  ],
  [
    "a directory, exactReference",
    "dir:PLACE/images/signed",
    scopes("dir", { "": [signedAs("exactReference", { dockerReference: `${vendor}:1` })] }),
    "accepted",
  ],
  [
    "a directory, exactRepository",
    "dir:PLACE/images/signed",
    scopes("dir", { "": [signedAs("exactRepository", { dockerRepository: vendor })] }),
    "accepted",
  ],
  ["a bundle, by default", "HOST/app/bundle:1", demanding(signed()), "rejected"],
  ["a bundle, matchRepository", "HOST/app/bundle:1", demanding(signedAs("matchRepository")), "accepted", bundles],
  [
    "a bundle, exactRepository",
    "HOST/app/bundle:1",
    demanding(signedAs("exactRepository", { dockerRepository: "HOST/app/bundle" })),
    "accepted",
    bundles,
  ],
  [
    "a bundle, another exactRepository",
    "HOST/app/bundle:1",
    demanding(signedAs("exactRepository", { dockerRepository: vendor })),
    "rejected",
  ],
  [
    "a bundle, exactReference",
    "HOST/app/bundle:1",
    demanding(signedAs("exactReference", { dockerReference: "HOST/app/bundle:1" })),
    "rejected",
  ],
];

const empty = "it would count as absent there: what is misspelt may demand less than was meant";
const fulcio = { caPath: "PLACE/first.pub", oidcIssuer: "https://issuer.example", subjectEmail: "a@b.example" };
const pki = { caRootsPath: "PLACE/first.pub", subjectEmail: "a@b.example" };

/** Each is about an image that is accepted unless the policy is malformed. */
const malformed: readonly (readonly [title: string, policy: unknown, unlikeSkopeo?: string | undefined])[] = [
  ["no object", []],
  ["nothing", ""],
  ["no JSON", '{"default": [{"type": "insecureAcceptAnything"}],}'],
  ["a comment", '{/* all */ "default": [{"type": "insecureAcceptAnything"}]}'],
  ["more after it", '{"default": [{"type": "insecureAcceptAnything"}]} {}'],
  ["a byte order mark", '\ufeff{"default": [{"type": "insecureAcceptAnything"}]}'],
  ["a key twice", '{"default": [{"type": "reject"}], "default": [{"type": "insecureAcceptAnything"}]}'],
  [
    "a key twice in a requirement",
    '{"default": [{"type": "insecureAcceptAnything", "type": "insecureAcceptAnything"}]}',
  ],
  [
    "a scope twice",
    '{"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {"a": [{"type": "reject"}], "a": [{"type": "reject"}]}}}',
  ],
  ["no default", { transports: { docker: { "": [accept] } } }],
  ["the default in other letters", { Default: [accept] }],
  ["a default that is null", { default: null }],
  ["an empty default", { default: [] }],
  ["a default that is no list", { default: accept }],
  ["an empty scope", { default: [accept], transports: { docker: { "HOST/other": [] } } }],
  ["a misspelt member", { default: [accept], transport: {} }],
  ["transports that are null", { default: [accept], transports: null }],
  ["transports that are a list", { default: [accept], transports: [] }],
  [
    "a misspelt transport",
    { default: [accept], transports: { dokcer: { "": [reject] } } },
    "it takes any word: the scopes of a misspelt transport would be forgotten",
  ],
  ["a requirement without a type", { default: [{}] }],
  ["a misspelt type", { default: [{ type: "insecureAcceptsAnything" }] }],
  ["a type in other letters", { default: [{ type: "InsecureAcceptAnything" }] }],
  ["a type that is no string", { default: [{ type: 1 }] }],
  ["a requirement that is no object", { default: ["insecureAcceptAnything"] }],
  ["more than a type", { default: [{ ...accept, comment: "all" }] }],
  ["the path of a directory that is not absolute", { default: [accept], transports: { dir: { images: [accept] } } }],
  ["the root as a directory", { default: [accept], transports: { dir: { "/": [accept] } } }],
  ["the path of a layout with a dot", { default: [accept], transports: { oci: { "/images/../layout": [accept] } } }],
  [
    "the path of an archive with a slash at its end",
    { default: [accept], transports: { "oci-archive": { "/images/": [accept] } } },
  ],
  [
    "a scope of docker archives",
    { default: [accept], transports: { "docker-archive": { "/images/a.tar": [accept] } } },
  ],
  ["an ID as a scope of an engine", { default: [accept], transports: { "docker-daemon": { DIGEST: [accept] } } }],
  ...elsewhere([
    ["a misspelt member of a requirement", { type: "sigstoreSigned", keypath: "PLACE/first.pub" }],
    ["a member that is unknown", signed({ comment: "mine" })],
    ["no key", { type: "sigstoreSigned" }],
    ["two keys in two ways", signed({ keyData: "BASE64(first.pub)" })],
    ["an empty path", signedWith({ keyPath: "" })],
    ["an empty path beside a key", signedWith({ keyPath: "", keyData: "BASE64(first.pub)" }), empty],
    ["an empty path of a log's key", signed({ rekorPublicKeyPath: "" }), empty],
    ["no paths", signedWith({ keyPaths: [] })],
    ["a path that is no string", signedWith({ keyPath: 1 })],
    ["paths that are no list", signedWith({ keyPaths: "PLACE/first.pub" })],
    ["a key that is not base64", signedWith({ keyData: "PLACE/first.pub" })],
    [
      "two log keys in two ways",
      signed({ rekorPublicKeyPath: "PLACE/first.pub", rekorPublicKeyData: "BASE64(first.pub)" }),
    ],
    ["an identity without a type", signed({ signedIdentity: {} })],
    ["an identity that is null", signed({ signedIdentity: null })],
    ["a misspelt identity", signedAs("matchRepo")],
    ["an identity with more", signedAs("matchExact", { dockerReference: "a:1" })],
    ["an exactReference without one", signedAs("exactReference")],
    ["an exactReference without a tag", signedAs("exactReference", { dockerReference: "registry.example/app" })],
    ["an exactReference that is no name", signedAs("exactReference", { dockerReference: "UPPER:1" })],
    ["an exactRepository that is no name", signedAs("exactRepository", { dockerRepository: "registry.example/" })],
    ["a remapIdentity without a prefix", signedAs("remapIdentity", { signedPrefix: "registry.example" })],
    ["a prefix with a tag", remapped("registry.example/app:1", "other.example")],
    ["an empty prefix", remapped("", "other.example")],
    ["a prefix with a slash at its end", remapped("registry.example/", "other.example")],
    ["a prefix without a host", remapped("vendor/app", "other.example"), "it would never match"],
    ["fulcio without a log's key", signedWith({ fulcio })],
    ["fulcio beside a key", signed({ fulcio, rekorPublicKeyPath: "PLACE/first.pub" })],
    ["fulcio without an issuer", signedWith({ fulcio: { ...fulcio, oidcIssuer: undefined }, rekorPublicKeyPath: "a" })],
    [
      "fulcio without an address",
      signedWith({ fulcio: { ...fulcio, subjectEmail: undefined }, rekorPublicKeyPath: "a" }),
    ],
    ["fulcio without authorities", signedWith({ fulcio: { ...fulcio, caPath: undefined }, rekorPublicKeyPath: "a" })],
    [
      "fulcio with authorities in two ways",
      signedWith({ fulcio: { ...fulcio, caData: "BASE64(first.pub)" }, rekorPublicKeyPath: "a" }),
    ],
    ["fulcio with more", signedWith({ fulcio: { ...fulcio, subject: "a" }, rekorPublicKeyPath: "a" })],
    ["pki with a log's key", signedWith({ pki, rekorPublicKeyPath: "PLACE/first.pub" })],
    ["pki without a subject", signedWith({ pki: { caRootsPath: "PLACE/first.pub" } })],
    ["pki without roots", signedWith({ pki: { subjectEmail: "a@b.example" } })],
    ["pki with roots in two ways", signedWith({ pki: { ...pki, caRootsData: "BASE64(first.pub)" } })],
    [
      "pki with intermediates in two ways",
      signedWith({ pki: { ...pki, caIntermediatesPath: "a", caIntermediatesData: "YQ==" } }),
    ],
    ["GPG without a type of key", { type: "signedBy", keyPath: "PLACE/first.pub" }],
    ["GPG with a misspelt type of key", { type: "signedBy", keyType: "GPGKey", keyPath: "PLACE/first.pub" }],
    ["GPG without a key", { type: "signedBy", keyType: "GPGKeys" }],
    ["GPG with keyDatas", { type: "signedBy", keyType: "GPGKeys", keyDatas: ["YQ=="] }],
    ["signedBaseLayer without an identity", { type: "signedBaseLayer" }],
  ]),
];

/** Policies with such a requirement in a scope that the image is not in: it matters all the same. */
function elsewhere(rows: readonly (readonly [string, object, string?])[]): typeof malformed {
  return rows.map(([title, requirement, unlikeSkopeo]) => [
    title,
    { default: [accept], transports: { docker: { "HOST/elsewhere": [requirement] } } },
    unlikeSkopeo,
  ]);
}

export function casesOf(group: string, rows: readonly Row[]): readonly PolicyCase[] {
  return rows.map(([title, image, policy, verdict, unlikeSkopeo]) => ({
    title: `${group}: ${title}`,
    image,
    policy,
    verdict,
    ...(unlikeSkopeo !== undefined && { unlikeSkopeo }),
  }));
}

/** All cases, of which each is a test. */
export const policyCases: readonly PolicyCase[] = [
  ...casesOf("scope", ofScopes),
  ...casesOf("requirement", ofRequirements),
  ...casesOf("identity", ofIdentities),
  ...casesOf(
    "malformed",
    malformed.map(([title, policy, unlikeSkopeo]) => [title, plain, policy, "rejected", unlikeSkopeo]),
  ),
];
