import {
  cloneModes,
  copyForms,
  devicePolicies,
  differentParts,
  exportForms,
  overlayModes,
  ownerChoices,
  sandboxPolicies,
  shortNamePolicies,
} from "../base/option-words.ts";

// What the parser has to know of every option. manual/ has the words for whoever reads about them.

const username = { value: "text", short: "u" } as const;
const help = { short: "h" } as const;
const limit = { value: "limit", multiple: true } as const;

/** The options of every command that uses a registry. */
export const connectionOptionTable = {
  authfile: { value: "file" },
  "hosts-dir": { value: "directory" },
  "tls-ca": { value: "file", multiple: true },
  "tls-cert": { value: "file" },
  "tls-key": { value: "file" },
  "insecure-skip-tls-verify": {},
  "plain-http": {},
  "all-proxy": {},
  "allow-host": { value: "text", multiple: true },
  "deny-private": {},
} as const;

/** The options of every command with an image: which image, where from, and what to print. */
export const imageOptionTable = {
  platform: { value: "platform", short: "p" },
  arch: { value: "architecture" },
  os: { value: "operating system" },
  sandbox: { value: sandboxPolicies },
  "can-skip-sandbox": {},
  threads: { value: "text" },
  strict: {},
  "verify-key": { value: "file", multiple: true },
  "certificate-identity": { value: "text" },
  "certificate-identity-regexp": { value: "text" },
  "certificate-oidc-issuer": { value: "text" },
  "certificate-oidc-issuer-regexp": { value: "text" },
  "trusted-root": { value: "file" },
  "require-attestation": { value: "text", multiple: true },
  policy: { value: "policy" },
  "keep-dirlinks": {},
  ...connectionOptionTable,
  "short-names": { value: shortNamePolicies },
  "foreign-layers": {},
  "connections-per-blob": { value: "text" },
  username,
  "password-stdin": {},
  store: { value: "directory" },
  offline: {},
  "no-index": {},
  limit,
  json: {},
  "json-events": {},
  explain: {},
  quiet: { short: "q" },
  verbose: { short: "v" },
  version: {},
  help,
} as const;

/** The option of commands that can read a part of a layer. */
const partialOptionTable = { partial: {} } as const;

/** Every option of `oci-unpack cat` and `history`. */
export const lookOptionTable = { ...imageOptionTable, ...partialOptionTable } as const;

/** The options for an image's files. */
const filesOptionTable = {
  include: { value: "text", multiple: true },
  exclude: { value: "text", multiple: true },
  rootless: {},
  owner: { value: ownerChoices },
  "uid-map": { value: "text", multiple: true },
  "gid-map": { value: "text", multiple: true },
  devices: { value: devicePolicies },
  "xattr-include": { value: "text", multiple: true },
  "xattr-exclude": { value: "text", multiple: true },
} as const;

/** The forms of output that are a directory of files. */
export const directoryForms = ["rootfs", "overlay", "files"] as const;

/** Every option of `oci-unpack IMAGE DIRECTORY`. */
export const unpackOptionTable = {
  ...imageOptionTable,
  ...filesOptionTable,
  ...partialOptionTable,
  output: { value: [...directoryForms, ...exportForms, ...copyForms] },
  "output-file": { value: "file", short: "o" },
  overlay: { value: overlayModes },
  mount: { value: "directory" },
  "all-platforms": {},
  signatures: {},
  size: { value: "text" },
  "add-file": { value: "file", multiple: true },
  keep: {},
  clone: { value: cloneModes },
  verity: {},
  "verity-file": { value: "file" },
  bundle: {},
  mtree: { value: "file", formerly: "manifest" },
} as const;

/** Every option of `oci-unpack verify DIRECTORY [IMAGE]`. */
export const verifyOptionTable = { ...imageOptionTable, ...filesOptionTable } as const;

/** Every option of `oci-unpack sync DIRECTORY IMAGE`. */
export const syncOptionTable = {
  ...imageOptionTable,
  ...filesOptionTable,
  "dry-run": { short: "n" },
  "keep-path": { value: "text", multiple: true },
  "trust-times": {},
  force: { short: "f" },
  bundle: {},
  mtree: { value: "file" },
} as const;

/** Every option of `oci-unpack ls IMAGE [PATH]`. */
export const listOptionTable = {
  ...lookOptionTable,
  recursive: { short: "R" },
  digest: {},
} as const;

/** Every option of `oci-unpack diff IMAGE1 IMAGE2 [PATH]`. */
export const diffOptionTable = {
  ...lookOptionTable,
  platform: { value: "platform", short: "p", multiple: true },
  ignore: { value: { someOf: differentParts }, multiple: true },
} as const;

/** Every option of `oci-unpack signatures IMAGE`; the last four are containerd's. */
export const signaturesOptionTable = {
  ...imageOptionTable,
  predicate: { value: "text" },
  name: { value: "text" },
  digest: { value: "text" },
  "stdin-media-type": { value: "text" },
  operation: { value: "text" },
} as const;

/** Every option of `oci-unpack login REGISTRY`. */
export const loginOptionTable = {
  ...connectionOptionTable,
  username,
  "password-stdin": {},
  "no-verify": {},
  explain: {},
  help,
} as const;

/** Every option of `oci-unpack logout REGISTRY`. */
export const logoutOptionTable = {
  authfile: { value: "file" },
  help,
} as const;

/** Every option of `oci-unpack completion bash|zsh|fish`. */
export const completionOptionTable = { help } as const;

/** Every option of `oci-unpack store list|verify|prune`. */
export const storeOptionTable = {
  store: { value: "directory" },
  "max-size": { value: "text" },
  "forget-absent": {},
  limit,
  json: {},
  "json-events": {},
  help,
} as const;
