/** The options of every command that uses a registry. */
export const connectionOptionTable = {
  "plain-http": { type: "boolean" },
  authfile: { type: "string" },
  "hosts-dir": { type: "string" },
  "tls-ca": { type: "string", multiple: true },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  "insecure-skip-tls-verify": { type: "boolean" },
  "all-proxy": { type: "boolean" },
  "allow-host": { type: "string", multiple: true },
  "deny-private": { type: "boolean" },
} as const;

/** The options of every command with an image: which image, where from, and what to print. */
export const imageOptionTable = {
  platform: { type: "string", short: "p" },
  arch: { type: "string" },
  os: { type: "string" },
  sandbox: { type: "string" },
  "can-skip-sandbox": { type: "boolean" },
  threads: { type: "string" },
  strict: { type: "boolean" },
  "verify-key": { type: "string", multiple: true },
  "certificate-identity": { type: "string" },
  "certificate-identity-regexp": { type: "string" },
  "certificate-oidc-issuer": { type: "string" },
  "certificate-oidc-issuer-regexp": { type: "string" },
  "trusted-root": { type: "string" },
  "require-attestation": { type: "string", multiple: true },
  policy: { type: "string" },
  "keep-dirlinks": { type: "boolean" },
  ...connectionOptionTable,
  "short-names": { type: "string" },
  "foreign-layers": { type: "boolean" },
  "connections-per-blob": { type: "string" },
  username: { type: "string", short: "u" },
  "password-stdin": { type: "boolean" },
  store: { type: "string" },
  offline: { type: "boolean" },
  "no-index": { type: "boolean" },
  limit: { type: "string", multiple: true },
  json: { type: "boolean" },
  explain: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
  verbose: { type: "boolean", short: "v" },
  version: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** The option of commands that can read a part of a layer. */
const partialOptionTable = { partial: { type: "boolean" } } as const;

/** Every option of `oci-unpack cat` and `history`. */
export const lookOptionTable = { ...imageOptionTable, ...partialOptionTable } as const;

/** The options for an image's files. */
const filesOptionTable = {
  include: { type: "string", multiple: true },
  exclude: { type: "string", multiple: true },
  rootless: { type: "boolean" },
  owner: { type: "string" },
  "uid-map": { type: "string", multiple: true },
  "gid-map": { type: "string", multiple: true },
  devices: { type: "string" },
  "xattr-include": { type: "string", multiple: true },
  "xattr-exclude": { type: "string", multiple: true },
} as const;

/** Every option of `oci-unpack IMAGE DIRECTORY`; unpack-help.ts explains each. */
export const unpackOptionTable = {
  ...imageOptionTable,
  ...filesOptionTable,
  ...partialOptionTable,
  output: { type: "string" },
  "output-file": { type: "string", short: "o" },
  overlay: { type: "string" },
  mount: { type: "string" },
  "all-platforms": { type: "boolean" },
  signatures: { type: "boolean" },
  size: { type: "string" },
  "add-file": { type: "string", multiple: true },
  keep: { type: "boolean" },
  clone: { type: "string" },
  verity: { type: "boolean" },
  "verity-file": { type: "string" },
  bundle: { type: "boolean" },
  mtree: { type: "string", formerly: "manifest" },
} as const;

/** Every option of `oci-unpack verify DIRECTORY [IMAGE]`. */
export const verifyOptionTable = { ...imageOptionTable, ...filesOptionTable } as const;

/** Every option of `oci-unpack sync DIRECTORY IMAGE`. */
export const syncOptionTable = {
  ...imageOptionTable,
  ...filesOptionTable,
  "dry-run": { type: "boolean", short: "n" },
  "keep-path": { type: "string", multiple: true },
  "trust-times": { type: "boolean" },
  force: { type: "boolean", short: "f" },
  bundle: { type: "boolean" },
  mtree: { type: "string" },
} as const;

/** Every option of `oci-unpack ls IMAGE [PATH]`. */
export const listOptionTable = {
  ...lookOptionTable,
  recursive: { type: "boolean", short: "R" },
  digest: { type: "boolean" },
} as const;

/** Every option of `oci-unpack diff IMAGE1 IMAGE2 [PATH]`. */
export const diffOptionTable = {
  ...lookOptionTable,
  platform: { type: "string", short: "p", multiple: true },
  ignore: { type: "string", multiple: true },
} as const;

/** Every option of `oci-unpack signatures IMAGE`; the last four are containerd's. */
export const signaturesOptionTable = {
  ...imageOptionTable,
  predicate: { type: "string" },
  name: { type: "string" },
  digest: { type: "string" },
  "stdin-media-type": { type: "string" },
  operation: { type: "string" },
} as const;

/** Every option of `oci-unpack login REGISTRY`. */
export const loginOptionTable = {
  ...connectionOptionTable,
  username: { type: "string", short: "u" },
  "password-stdin": { type: "boolean" },
  "no-verify": { type: "boolean" },
  explain: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** Every option of `oci-unpack logout REGISTRY`. */
export const logoutOptionTable = {
  authfile: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** Every option of `oci-unpack store list|verify|prune`. */
export const storeOptionTable = {
  store: { type: "string" },
  "max-size": { type: "string" },
  "forget-absent": { type: "boolean" },
  limit: { type: "string", multiple: true },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;
