import { syncHelp } from "./sync-help.ts";
import { unpackHelp } from "./unpack-help.ts";

/** The commands that have a help text. */
export type HelpTopic =
  | "unpack"
  | "login"
  | "logout"
  | "store"
  | "ls"
  | "cat"
  | "inspect"
  | "history"
  | "verify"
  | "diff"
  | "sync"
  | "signatures";

const login = `\
Usage: oci-unpack login [OPTIONS] REGISTRY

Keeps a user name and a password for REGISTRY, where podman, buildah and skopeo
find them too: in auth.json, or with the credential helper that it names, once
REGISTRY has taken them.

  oci-unpack login ghcr.io
  oci-unpack login -u ada --password-stdin registry.example:5000 < password

  -u, --username NAME    the user name (default: asked for)
      --password-stdin   read the password from standard input instead of asking
      --authfile FILE    keep it in this file (default: $REGISTRY_AUTH_FILE, or
                         $XDG_RUNTIME_DIR/containers/auth.json, which the next
                         boot forgets, or ~/.config/containers/auth.json)
      --no-verify        keep them without asking REGISTRY
      --explain          tell how REGISTRY was asked, and why so

How REGISTRY is asked, as in oci-unpack --help
      --plain-http
      --tls-ca FILE
      --tls-cert FILE
      --tls-key FILE
      --insecure-skip-tls-verify
      --hosts-dir DIR
      --all-proxy
      --allow-host HOST
      --deny-private
  -h, --help             this text
`;

const logout = `\
Usage: oci-unpack logout [OPTIONS] REGISTRY

Forgets what oci-unpack login, or podman login, kept for REGISTRY.

      --authfile FILE    look in this file (default: as for login)
  -h, --help             this text
`;

const store = `\
Usage: oci-unpack store list|verify|prune [OPTIONS]

A store keeps the blobs of images that were unpacked with --store, an index of
each layer that was read, and with --keep what images became. It is an OCI image
layout: skopeo and umoci read it as oci:DIR:NAME where the image has OCI media
types. What docker pushed has Docker's, which they refuse in a layout;
skopeo copy --format oci docker://NAME oci:COPY:TAG converts it.

  oci-unpack store list      images, layers for overlays, indexes of layers,
                             outputs and trees, what was used last first
  oci-unpack store verify    read all of it; exit status 1 if anything is
                             corrupt or missing (nothing of it is ever used)
  oci-unpack store prune     remove what belongs to no image, and

      --max-size SIZE    what was used longest ago too, of whatever kind, until
                         the rest is no larger than SIZE, as in 500M or 10G
      --forget-absent    what overlays use that are not where they were, too;
                         it stays for 30 days otherwise, should a disk be
                         mounted again
      --store DIR        the store (default: $OCI_UNPACK_STORE)
      --limit NAME=VALUE an image that needed a larger limit needs it here too;
                         --limit help lists them
      --json             the answer as JSON
  -h, --help             this text
`;

const ls = `\
Usage: oci-unpack ls [OPTIONS] IMAGE [PATH]

Lists what is in a directory of IMAGE, all layers merged, without unpacking it:
type and mode, owner, size, time (UTC), and the layer that each entry is from,
L1 being the bottom one (JSON counts from 0, as in "layers" of inspect --json).
Layers are read from the newest down, each verified, and only as far as the
answer needs; with --store, none that was read before: its index tells it all.
Of an artifact no file is fetched, but an archive that PATH has to do with.

  oci-unpack ls debian:stable /etc
  oci-unpack ls -R --json alpine | jq -r '.entries[].path'

  -R, --recursive        list all that is below it
      --digest           show the SHA-256 of each file: its first 12 digits, or
                         all with --json
      --partial          take the word of a layer's table of contents for it,
                         where it has one (zstd:chunked, eStargz)
      --json             the entries, and how many bytes were fetched, as JSON
  -q, --quiet    -v, --verbose    --explain    -h, --help

The options that choose an image, a registry, a store and the sandbox are those
of oci-unpack --help.
`;

const cat = `\
Usage: oci-unpack cat [OPTIONS] IMAGE PATH

Writes a file of IMAGE to standard output, without unpacking anything. Symlinks
are followed, inside the image. Layers are read from the newest down, and only
until it is known which file is meant; its layer is verified before the first
byte is written. With --store, layers that were read before are not read again,
but the one that has the file, up to there; then the file is verified. On a
terminal, what could act on it is shown as \\x1b.

  oci-unpack cat debian:stable /etc/os-release

      --partial          where a layer has a table of contents (zstd:chunked,
                         eStargz), read that and the file's own bytes alone
  -q, --quiet    -v, --verbose    --explain    -h, --help

The options that choose an image, a registry, a store and the sandbox are those
of oci-unpack --help.
`;

const inspect = `\
Usage: oci-unpack inspect [OPTIONS] IMAGE

Tells what the documents of IMAGE say: its digest, its platforms, how it is to
be run, and its layers with their sizes; of an artifact its type, its files and
its annotations; of both what refers to it. No layer is downloaded. If there is
nothing for this machine, the first image tells, and a warning says so.

  oci-unpack inspect debian:stable
  oci-unpack inspect --json alpine | jq .config.config.Env

      --json             all of it, the configuration as it is, as JSON
  -q, --quiet    -v, --verbose    --explain    -h, --help

The options that choose an image, a registry and a store are those of
oci-unpack --help.
`;

const history = `\
Usage: oci-unpack history [OPTIONS] IMAGE [PATH]

Tells of each layer of IMAGE, the oldest first, its size, how many entries it
added (+), changed (~) and removed (-), when it was made and by which step.
With PATH, what each layer did to it, the newest first, and what is there now.
PATH is found as a process in a container finds it, through symlinks.

  oci-unpack history debian:stable
  oci-unpack history registry.example/app /etc/passwd
  oci-unpack history --json alpine | jq '.layers[] | [.layer, .added]'

      --partial          where a layer has a table of contents (zstd:chunked,
                         eStargz), take its word for it
      --json             the answer as JSON; layers count from 0
  -q, --quiet    -v, --verbose    --explain    -h, --help

Layers are read whole, or their indexes where a store has them (--store). The
options that choose an image, a registry, a store and the sandbox are those of
oci-unpack --help.
`;

const verify = `\
Usage: oci-unpack verify [OPTIONS] DIRECTORY [IMAGE]

Compares DIRECTORY/rootfs with IMAGE, from which it was unpacked, and lists what
was added, is missing or has changed: type, mode, owner, time, size, content,
link target, device number, extended attributes, and which names are one file.
The layers are read from where IMAGE is, each verified; nothing is written.

  oci-unpack verify ./debian debian@sha256:…
  oci-unpack verify --store ./store ./debian
  oci-unpack verify --json ./debian debian:stable | jq -r .differences[].path

Without IMAGE it is the one in the store (--store) that has the configuration
that lies in DIRECTORY. Options that decide what files become have to be those
of the unpacking: --owner, --rootless, --uid-map, --gid-map, --devices,
--xattr-include, --xattr-exclude, --keep-dirlinks, --include, --exclude.

      --json             the differences as JSON
  -q, --quiet    -v, --verbose    --explain    -h, --help

All other options are those of oci-unpack --help.

Exit status
  0  the same
  1  failed
  2  wrong command line
  3  different, or something cannot be read
`;

const diff = `\
Usage: oci-unpack diff [OPTIONS] IMAGE1 IMAGE2 [PATH]

Compares two images, all layers merged, without unpacking them, and lists what
was added, removed or has changed in IMAGE2: type, mode, owner, time, size,
content (by SHA-256), link target, device number, extended attributes, and which
names are one file; for each the layer that it is from, L1 being the bottom one
(JSON counts from 0), and the instruction that made this layer. First come the
differences of how they are to be run. With PATH it is what is there, and below.
Layers that both have at the bottom are read once, and only if a difference
depends on them.

  oci-unpack diff debian:12 debian:13
  oci-unpack diff -p linux/amd64 -p linux/arm64 alpine alpine /etc
  oci-unpack diff --ignore time docker-archive:app.tar registry.example/app
  oci-unpack diff --json app:1 app:2 | jq -r .differences[].path

  -p, --platform OS/ARCH for both; given twice, for IMAGE1 and for IMAGE2
      --ignore PARTS     what need not be the same, separated by commas: type,
                         mode, owner, time, size, content, target, device,
                         xattrs, links; may be repeated
      --partial          where a layer has a table of contents (zstd:chunked,
                         eStargz), take its word for it
      --json             the differences as JSON
  -q, --quiet    -v, --verbose    --explain    -h, --help

The options that choose an image, a registry, a store and the sandbox are those
of oci-unpack --help, and hold for both images.

Exit status
  0  the same
  1  failed
  2  wrong command line
  3  different
`;

const signatures = `\
Usage: oci-unpack signatures [OPTIONS] IMAGE
       oci-unpack signatures [OPTIONS] --predicate TYPE IMAGE

Lists what is stored as signatures and attestations of IMAGE, of its index and
of the manifest for this platform, and says of each who made it: verified, if
one of those who are demanded did; rejected, and why; or not verified, where
nobody is demanded. Neither layers nor the configuration are downloaded.

  oci-unpack signatures registry.example/app
  oci-unpack signatures --verify-key cosign.pub registry.example/app
  oci-unpack signatures --verify-key cosign.pub \\
      --predicate https://spdx.dev/Document registry.example/app | jq .name

      --verify-key, --certificate-identity, --require-attestation and so on
                         what is demanded, as in oci-unpack --help
      --predicate TYPE   print, instead of the list, what the attestations with
                         this predicate type state, which have to be verified:
                         a line of JSON for each
      --json             the list as JSON
  -q, --quiet    -v, --verbose    --explain    -h, --help

The options that choose an image, a registry and a store are those of
oci-unpack --help.

As an image verifier of containerd (a script in its bin_dir; docs/trust.md)
  exec /usr/bin/oci-unpack signatures --verify-key /etc/cosign.pub "$@"
      -name NAME, -digest DIGEST, -stdin-media-type TYPE, -operation WORD
                         as containerd passes them: DIGEST itself has to be
                         signed; the reason is one line on standard output

Exit status
  0  what is demanded holds, or nothing is demanded
  1  it does not hold, or the signatures could not be read
  2  wrong command line
`;

/** The text of `--help` for each command. */
export const help: Readonly<Record<HelpTopic, string>> = {
  unpack: unpackHelp,
  login,
  logout,
  store,
  ls,
  cat,
  inspect,
  history,
  verify,
  diff,
  sync: syncHelp,
  signatures,
};
