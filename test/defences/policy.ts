import { posix } from "node:path";
import type { Defence } from "./defence.ts";

/** Each keeps a policy from accepting what it does not say. */
export const policyDefences: readonly Defence[] = (
  [
    [
      "what is misspelt in a policy makes all of it an error",
      "strict-members",
      ["if (!allowed.includes(name)) object.refuse", "if (false) object.refuse"],
      ["table", "malformed: a member that is unknown: rejected"],
    ],
    [
      "and what is null",
      "strict-members",
      ["if (value.json === null) value.refuse", "if (false) value.refuse"],
      ["table", "malformed: transports that are null: rejected"],
    ],
    [
      "a list of requirements is not empty",
      "strict-members",
      ["return all.length > 0 ? all", "return true ? all"],
      ["table", "malformed: an empty default: rejected"],
    ],
    [
      "a path in a policy is not empty",
      "strict-members",
      ["return value.string() || ", "return value.string() ?? "],
      ["table", "malformed: an empty path of a log's key: rejected"],
    ],
    [
      "the most specific scope counts",
      "scopes",
      ["return [name, ...namespaces, ...wildcards];", "return [...wildcards, ...namespaces, name];"],
      ["table", "scope: a reference goes before its repository: accepted"],
    ],
    [
      "a path is one without symbolic links",
      "scopes",
      ["return await realpath(path);", "return await Promise.resolve(path);"],
      ["table", "scope: and not where the symlink is: rejected"],
    ],
    [
      "a policy accepts no image of which it is not known where it is",
      "policy-demands",
      ["if (location === undefined) throw", 'if (location === undefined) return [];\n  if (name === "") throw'],
      ["demands", "of images from a source that says not where they are, a policy accepts none"],
    ],
    [
      "each requirement of a policy counts",
      "policy-demands",
      ["if (fault !== undefined) throw", "if (fault !== undefined && match.requirements.length < 2) throw"],
      ["table", "requirement: one requirement that rejects is enough: rejected"],
    ],
    [
      "under a policy an index's signature does not cover its manifests",
      "policy-demands",
      ["isOfManifest: true", "isOfManifest: false"],
      ["table", "requirement: the index is signed, and not the manifest in it: rejected"],
    ],
    [
      "the name that an image was signed under is the one that is demanded",
      "signed-identity",
      ["return formatReference(signed) === name ?", "return name !== undefined ?"],
      ["table", "identity: another tag: rejected"],
    ],
    [
      "and so is its repository",
      "signed-identity",
      ["return repositoryOf(signed) === name ?", "return name !== undefined ?"],
      ["table", "identity: another name, matchRepository: rejected"],
    ],
    [
      "a name without a tag is not one with any tag",
      "signed-identity",
      ["return isRepository(signed) ? missingTag(wanted, signed) : same", "return same"],
      ["table", "identity: a repository alone, by digest: rejected"],
    ],
    [
      "what has no name matches none",
      "signed-identity",
      ["  if (image === undefined) {", "  if (image === undefined) return undefined;\n  if (image === undefined) {"],
      ["table", "identity: a directory has no name: rejected"],
    ],
    [
      "a bundle counts for the repository that it lies in alone",
      "signed-identity",
      ["const fault = sameRepository(identity.name, image);", "const fault = undefined;"],
      ["table", "identity: a bundle, another exactRepository: rejected"],
    ],
    [
      "and under no identity that demands a tag",
      "signed-identity",
      ['if (identity.type === "matchRepository") return;', 'if (identity.type !== "exactRepository") return;'],
      ["table", "identity: a bundle, by default: rejected"],
    ],
    [
      "an e-mail address is the one that is demanded",
      "certified-signers",
      ["if (emails.includes(wanted)) return;", "if (emails.length > 0) return;"],
      ["table", "pki: another address: rejected"],
    ],
    [
      "and no other name",
      "certified-signers",
      ["insistOnEmail(certificate.emails, subjectEmail)", "insistOnEmail(certificate.names, subjectEmail)"],
      ["table", "pki: an address that is a URI: rejected"],
    ],
    [
      "a host is the one that is demanded",
      "certified-signers",
      ["if (!isIt) throw", "if (false) throw"],
      ["table", "pki: another host: rejected"],
    ],
    [
      "and not all that are below one",
      "certified-signers",
      ['wanted.startsWith(".")', 'wanted === ""'],
      ["table", "pki: all hosts below: rejected"],
    ],
    [
      "who vouches for an address is who is demanded",
      "certified-signers",
      ["if (issuer !== oidcIssuer)", "if (false)"],
      ["table", "fulcio: another issuer: rejected"],
    ],
    [
      "a certificate of a PKI is valid now",
      "certified-signers",
      ['  insistOnValidity(paths, new Date(), "");\n', ""],
      ["table", "pki: a certificate that has expired: rejected"],
    ],
    [
      "and its key made the signature",
      "certified-signers",
      ["if (!isSignedBy(certificate, data, signature, form)) throw", "if (false) throw"],
      ["table", "pki: a signature by another key: rejected"],
    ],
    [
      "a signature is in a log where a policy names one",
      "required-signer",
      ["return logs.length === 0 ? owner", "return logs.length >= 0 ? owner"],
      ["table", "log: no entry: rejected"],
    ],
    [
      "an authority that may certify some names only may certify none",
      "../keyless/certificate",
      ["    x509.extension(nameConstraints) === undefined &&\n", ""],
      ["table", "pki: an authority for other addresses: rejected"],
    ],
    [
      "what may be an ID is no name in an engine",
      "../../source/engine",
      ["const reference = mayBeID ? undefined :", "const reference = false ? undefined :"],
      ["scopes", "an ID in an engine has no scope but the transport's default"],
    ],
  ] as const
).map(([what, file, without, [test, title]]) => ({
  group: "signatures",
  what,
  file: posix.join("src/trust/policy", `${file}.ts`),
  without,
  test: [`trust/policy/${test}`, title],
}));
