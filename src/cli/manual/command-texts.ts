import type { CommandName } from "../command-table.ts";
import type { CommandText } from "./command-text.ts";
import { lookCommands } from "./look-commands.ts";
import { exitStatus } from "./surroundings.ts";

const unpack: CommandText<"unpack"> = {
  brief: "download an image, verify it, and unpack it",
  usages: ["oci-unpack [OPTIONS] --output FORM -o FILE IMAGE", "oci-unpack COMMAND [OPTIONS] …"],
  about: [
    "Downloads IMAGE from its registry, verifies every byte of it, and unpacks it: the files into DIRECTORY/rootfs, the configuration into DIRECTORY/config.json. DIRECTORY must be absent or empty. If anything fails, nothing is left behind.",
    "IMAGE is a name in a registry, or a place on this machine as skopeo writes it: oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME|:@N] or dir:DIR, where FILE may be - for standard input, or docker-daemon:NAME, which docker or podman has.",
    "An image called like a command is written docker.io/library/NAME, or stands behind --. The word unpack before the options may be left out.",
  ],
  examples: [
    "oci-unpack debian:stable ./debian",
    "oci-unpack --platform linux/arm64 ghcr.io/acme/api:2.1 /srv/api",
    "oci-unpack localhost:5000/app@sha256:… ./app --json | jq -r .rootfs",
  ],
  own: {},
  common: [
    "platform",
    "output",
    "output-file",
    "include",
    "exclude",
    "bundle",
    "store",
    "username",
    "password-stdin",
    "verify-key",
    "sandbox",
    "limit",
    "json",
    "explain",
    "quiet",
    "verbose",
  ],
  exitStatus: [...exitStatus, ["3", "oci-unpack verify, diff, sync --dry-run: different"]],
};

const login: CommandText<"login"> = {
  brief: "keep a user name and a password for a registry",
  about: [
    "Keeps a user name and a password for REGISTRY, where podman, buildah and skopeo find them too: in auth.json, or with the credential helper that it names, once REGISTRY has taken them.",
  ],
  examples: ["oci-unpack login ghcr.io", "oci-unpack login -u ada --password-stdin registry.example:5000 < password"],
  own: {
    username: { value: "NAME", brief: "the user name", more: " (default: asked for)" },
    "password-stdin": { brief: "read the password from standard input", more: " instead of asking" },
    authfile: {
      brief: "keep it in this file",
      more: " (default: $REGISTRY_AUTH_FILE, or $XDG_RUNTIME_DIR/containers/auth.json, which the next boot forgets, or ~/.config/containers/auth.json)",
    },
    "no-verify": { brief: "keep them without asking REGISTRY" },
    explain: { brief: "tell how REGISTRY was asked, and why so" },
  },
  common: ["username", "password-stdin", "authfile", "no-verify", "explain", "plain-http", "tls-ca"],
};

const logout: CommandText<"logout"> = {
  brief: "forget what login kept for a registry",
  about: ["Forgets what oci-unpack login, or podman login, kept for REGISTRY."],
  examples: ["oci-unpack logout ghcr.io"],
  own: { authfile: { brief: "look in this file", more: " (default: as for login)" } },
  common: ["authfile"],
};

const store: CommandText<"store"> = {
  brief: "tell what is in a store, verify it, or make it smaller",
  about: [
    "A store keeps the blobs of images that were unpacked with --store, an index of each layer that was read, and with --keep what images became.",
    "It is an OCI image layout: skopeo and umoci read it as oci:DIR:NAME where the image has OCI media types. What docker pushed has Docker's, which they refuse in a layout; skopeo copy --format oci docker://NAME oci:COPY:TAG converts it.",
    `store list: images, layers for overlays, indexes of layers, outputs and trees, what was used last first
store verify: read all of it; exit status 1 if anything is corrupt or missing (nothing of it is ever used)
store prune: remove what belongs to no image, and what --max-size and --forget-absent say`,
  ],
  examples: [
    "oci-unpack store list --store ./store",
    "oci-unpack store verify --store ./store",
    "oci-unpack store prune --store ./store --max-size 10G",
  ],
  own: {
    "max-size": {
      value: "SIZE",
      brief: "prune what was used longest ago, too",
      more: ", of whatever kind, until the rest is no larger than SIZE, as in 500M or 10G",
    },
    "forget-absent": {
      brief: "prune what overlays use that are not where they were",
      more: "; it stays for 30 days otherwise, should a disk be mounted again",
    },
    store: { brief: "the store", more: " (default: $OCI_UNPACK_STORE)" },
    limit: {
      brief: "an image that needed a larger limit needs it here too",
      more: "; --limit help lists them",
    },
    json: { brief: "the answer as JSON" },
  },
  common: ["store", "max-size", "forget-absent", "limit", "json"],
};

const sync: CommandText<"sync"> = {
  brief: "make a directory what an image says, writing what differs",
  about: [
    "Makes DIRECTORY/rootfs and DIRECTORY/config.json what IMAGE says, and writes only what differs: another version, or the same one where something was damaged. A DIRECTORY that is not there yet is made.",
    "Files are compared by SHA-256. The new root is made beside the old one, of hard links to the files that stay and of new ones, and then takes its place at once: at every moment there is one whole version, also if somebody kills it.",
    "Options that decide what files become have to be those of the unpacking: --owner, --rootless, --uid-map, --gid-map, --devices, --xattr-include, --xattr-exclude, --keep-dirlinks, --include, --exclude.",
  ],
  examples: [
    "oci-unpack sync ./debian debian:stable",
    "oci-unpack sync --store ./store --trust-times ./app registry.example/app:2",
    "oci-unpack sync --dry-run ./app registry.example/app:2",
  ],
  own: {
    "dry-run": { brief: "change nothing, and list what would come, go and change" },
    "keep-path": {
      value: "GLOB",
      brief: "leave these paths as they are",
      more: ", with all that is below them, whether IMAGE has them or not; patterns as in --include",
    },
    "trust-times": {
      brief: "do not read files whose size and time are the image's",
      more: ": believe that they have the content of the image that lies there; the store has to know that image's layers",
    },
    force: { brief: "take a DIRECTORY with other things and no config.json" },
    json: { brief: "the result as JSON" },
  },
  common: [
    "dry-run",
    "keep-path",
    "trust-times",
    "force",
    "bundle",
    "platform",
    "include",
    "exclude",
    "store",
    "json",
    "quiet",
  ],
  exitStatus: [
    ["0", "done; with --dry-run, nothing differs"],
    ["1", "failed"],
    ["2", "wrong command line"],
    ["3", "with --dry-run: something differs"],
  ],
};

const signatures: CommandText<"signatures"> = {
  brief: "list an image's signatures and attestations, and verify them",
  usages: ["oci-unpack signatures [OPTIONS] --predicate TYPE IMAGE"],
  about: [
    "Lists what is stored as signatures and attestations of IMAGE, of its index and of the manifest for this platform, and says of each who made it: verified, if one of those who are demanded did; rejected, and why; or not verified, where nobody is demanded. Neither layers nor the configuration are downloaded.",
  ],
  examples: [
    "oci-unpack signatures registry.example/app",
    "oci-unpack signatures --verify-key cosign.pub registry.example/app",
    "oci-unpack signatures --verify-key cosign.pub \\\n  --predicate https://spdx.dev/Document registry.example/app | jq .name",
  ],
  own: {
    predicate: {
      value: "TYPE",
      brief: "print what verified attestations of this type state",
      more: ", instead of the list: a line of JSON for each attestation with this predicate type",
    },
    json: { brief: "the list as JSON" },
    name: { value: "NAME", brief: "containerd's: the image's name" },
    digest: { value: "DIGEST", brief: "containerd's: what has to be signed itself" },
    "stdin-media-type": { value: "TYPE", brief: "containerd's: what is on standard input" },
    operation: { value: "WORD", brief: "containerd's: what the image is for" },
  },
  common: [
    "predicate",
    "verify-key",
    "certificate-identity",
    "certificate-oidc-issuer",
    "require-attestation",
    "policy",
    "platform",
    "username",
    "password-stdin",
    "json",
  ],
  notes: [
    {
      title: "As an image verifier of containerd",
      about: [
        "A script in containerd's bin_dir (docs/trust.md) passes on what it is called with: containerd's four options, which may have one dash. The reason is one line on standard output.",
      ],
      examples: ['exec /usr/bin/oci-unpack signatures --verify-key /etc/cosign.pub "$@"'],
    },
  ],
  exitStatus: [
    ["0", "what is demanded holds, or nothing is demanded"],
    ["1", "it does not hold, or the signatures could not be read"],
    ["2", "wrong command line"],
  ],
};

const completion: CommandText<"completion"> = {
  brief: "write the completions for a shell to standard output",
  about: [
    "Writes what makes bash, zsh or fish complete the commands and options of oci-unpack, their words, files and directories, and places of images.",
    "Bash reads it from a file in ~/.local/share/bash-completion/completions, with the package bash-completion, or from ~/.bashrc; zsh from a directory in $fpath, in which it is called _oci-unpack; fish from ~/.config/fish/completions.",
  ],
  examples: [
    "source <(oci-unpack completion bash)",
    "oci-unpack completion zsh > ~/.zfunc/_oci-unpack",
    "oci-unpack completion fish > ~/.config/fish/completions/oci-unpack.fish",
  ],
  own: {},
  common: ["help"],
};

/** What is told of each command. */
export const commandTexts: { readonly [Name in CommandName]: CommandText<Name> } = {
  unpack,
  login,
  logout,
  store,
  ...lookCommands,
  sync,
  signatures,
  completion,
};
