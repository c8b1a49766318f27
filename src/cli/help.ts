/** What there is a help text about. */
export type HelpTopic = "unpack" | "login" | "logout" | "store" | "ls" | "cat" | "inspect" | "verify";

const unpack = `\
Usage: oci-unpack [unpack] [OPTIONS] IMAGE DIRECTORY
       oci-unpack [OPTIONS] --output FORM -o FILE IMAGE
       oci-unpack login|logout [OPTIONS] REGISTRY
       oci-unpack store list|verify|prune [OPTIONS]
       oci-unpack inspect|ls|cat [OPTIONS] IMAGE [PATH]
       oci-unpack verify [OPTIONS] DIRECTORY [IMAGE]

Downloads IMAGE from its registry, verifies every byte of it, and unpacks it:
the files into DIRECTORY/rootfs, the configuration into DIRECTORY/config.json.
DIRECTORY must be absent or empty. If anything fails, nothing is left behind.

  oci-unpack debian:stable ./debian
  oci-unpack --platform linux/arm64 ghcr.io/acme/api:2.1 /srv/api
  oci-unpack localhost:5000/app@sha256:… ./app --json | jq -r .rootfs

IMAGE is a name in a registry, or a place on this machine as skopeo writes it:
oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME] or dir:DIR,
where FILE may be - for standard input, or docker-daemon:NAME, which docker or
podman has.

Which image
  -p, --platform OS/ARCH[/VARIANT]
                         choose from an image for several platforms
                         (default: this machine's)
      --arch ARCH        choose the processor only, as in arm64 or arm/v7
      --os OS            choose the operating system only

Which registry, and how (what docker, podman and containerd have in their files
counts here too: logins, mirrors, certificates; so do HTTPS_PROXY and NO_PROXY)
  -u, --username NAME    log in as NAME,
      --password-stdin   with the password read from standard input
      --authfile FILE    look for logins in this file first
      --hosts-dir DIR    read mirrors from containerd's hosts.toml files in DIR
                         (default: /etc/containerd/certs.d)
      --tls-ca FILE      trust the authorities in FILE too; may be repeated
      --tls-cert FILE    show this client certificate to the registry,
      --tls-key FILE     with this key, if it is not in the same file
      --insecure-skip-tls-verify
                         accept any certificate, and thus anybody in between
      --plain-http       talk to the registry without TLS; for loopback
                         addresses and localhost this needs no option
      --short-names docker|podman
                         whose a name without a registry is: Docker Hub's, or
                         what podman's [aliases] say (default: docker)
      --all-proxy        use $ALL_PROXY where no other variable names a proxy
      --connections-per-blob N
                         fetch a large layer over up to N connections where one
                         is slow (default: 1)
      --foreign-layers   fetch layers that the registry lacks from the urls that
                         the image names, without credentials

What a registry may lead to (always: no nearer to this machine than itself)
      --deny-private     connect to no private, link-local or loopback address,
                         whatever name leads there, not even the registry's
      --allow-host HOST  trust HOST as the registry itself: it may be private,
                         and see the login; HOST, HOST:PORT, *.SUFFIX or a
                         network, as in 10.0.0.0/8; may be repeated

What is kept for next time
      --store DIR        keep blobs in DIR, and download none that is there; DIR
                         is an OCI image layout
      --offline          take everything from the store, and ask nobody

What it becomes
      --output FORM      rootfs: one directory (default)
                         overlay: a directory for each layer, and mount.sh,
                         which mounts them as one with the kernel's overlayfs
                         tar: one archive of all its files
                         erofs, squashfs, ext4: a file system in a file, which
                         can be mounted
                         layout, oci-archive, docker-archive: a copy of the
                         image as it is, with all its digests
  -o, --output-file PATH where a file or a copy goes; - is standard output, for
                         archives
      --size SIZE        make the ext4 file system this large, as in 2G
                         (default: as large as it must be)
      --all-platforms    copy all that the image's index lists
      --overlay privileged|userxattr
                         who can mount the overlay: root, or anybody in a user
                         namespace (default: as who unpacks)
      --mount POINT      mount the overlay at once

What becomes of its files
      --include GLOB     only what GLOB matches, with all that is below it and
                         the directories that lead there; may be repeated
      --exclude GLOB     all but what GLOB matches; goes before --include
                         GLOB is a path from the root in the merged image: * is
                         any part of a name, ? a character, [a-z] one of several
                         and ** any number of names, as in etc, usr/*/bin or
                         **/*.pem; one that matches nothing is a warning
      --bundle           make DIRECTORY a bundle for runc or crun: config.json
                         is the container's, image-config.json the image's
      --mtree FILE       list them in FILE, as mtree and bsdtar read it: type,
                         mode, owner, time, size, link and SHA-256 of each
      --rootless         note on files the owners that they cannot be given, as
                         umoci and podman do; with --bundle: for a runtime that
                         runs as this user
      --owner preserve|ignore
                         give files the owners that the image states
                         (default: preserve as root, otherwise ignore)
      --uid-map CONTAINER:HOST[:SIZE]
      --gid-map CONTAINER:HOST[:SIZE]
                         shift users, or groups, as owners and in access-control
                         lists; may be repeated
      --devices skip|create|placeholder|error
                         leave device nodes out, make them, put empty files in
                         their place, or refuse the image (default: skip)
      --xattr-include NAME
      --xattr-exclude NAME
                         set, or leave out, this extended attribute; NAME may
                         end in *, as in user.overlay.*; may be repeated
      --keep-dirlinks    where a layer has a directory and a lower one a link of
                         that name, keep the link and follow it
      --strict           refuse an image in which something would have to be
                         repaired, instead of repairing it with a warning

Safety
      --sandbox require|prefer|off
                         whether the threads that touch the image must, should
                         or need not be confined by Landlock (default: require)
      --can-skip-sandbox short for --sandbox prefer
      --limit NAME=VALUE change one limit, as in --limit totalBytes=10G; may be
                         repeated (--limit help lists them)

What is printed
      --json             the result, or the error, as one JSON object on
                         standard output; all else goes to standard error
      --explain          each decision and its reason: files read, mirrors,
                         credentials, platforms (with --json also as data)
  -q, --quiet            errors only
  -v, --verbose          each request, each warning, each entry left out
      --version          the version of oci-unpack
  -h, --help             this text

Environment
  OCI_UNPACK_STORE       the store, where --store names none
  SOURCE_DATE_EPOCH      the time of directories to which the image gives none
  DOCKER_HOST            the engine's socket, as unix:///PATH
  NO_COLOR               no colours
  NODE_DEBUG=oci-unpack  with an error, the place in the code and its causes

Exit status
  0  done
  1  failed; nothing was left behind
  2  wrong command line
  3  oci-unpack verify: different
  130, 143, 129  interrupted (SIGINT, SIGTERM, SIGHUP) and cleaned up; a second
     signal ends at once, without cleaning up
`;

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

A store keeps the blobs of images that were unpacked with --store. It is an OCI
image layout: skopeo and umoci read it as oci:DIR:NAME where the image has OCI
media types. What docker pushed has Docker's, which they refuse in a layout;
skopeo copy --format oci docker://NAME oci:COPY:TAG converts it.

  oci-unpack store list      the images, the one that was used last first
  oci-unpack store verify    read every blob; exit status 1 if any is corrupt
                             or missing (nothing of such a blob is ever used)
  oci-unpack store prune     remove what belongs to no image, and

      --max-size SIZE    images too, those that were used last staying, until
                         the rest is no larger than SIZE, as in 500M or 10G
      --forget-absent    what overlays use that are not where they were, too;
                         it stays for 30 days otherwise, should a disk be
                         mounted again
      --store DIR        the store (default: $OCI_UNPACK_STORE)
      --json             the answer as JSON
  -h, --help             this text
`;

const ls = `\
Usage: oci-unpack ls [OPTIONS] IMAGE [PATH]

Lists what is in a directory of IMAGE, all layers merged, without unpacking it:
type and mode, owner, size, time (UTC), and the layer that each entry is from,
L1 being the bottom one (JSON counts from 0, as in "layers" of inspect --json).
Layers are read from the newest down, each verified, and only as far as the
answer needs.

  oci-unpack ls debian:stable /etc
  oci-unpack ls -R --json alpine | jq -r '.entries[].path'

  -R, --recursive        list all that is below it
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
byte is written. On a terminal, what could act on it is shown as \\x1b.

  oci-unpack cat debian:stable /etc/os-release

  -q, --quiet    -v, --verbose    --explain    -h, --help

The options that choose an image, a registry, a store and the sandbox are those
of oci-unpack --help.
`;

const inspect = `\
Usage: oci-unpack inspect [OPTIONS] IMAGE

Tells what the documents of IMAGE say: its digest, its platforms, how it is to
be run, and its layers with their sizes. No layer is downloaded. If there is
nothing for this machine, the first image tells, and a warning says so.

  oci-unpack inspect debian:stable
  oci-unpack inspect --json alpine | jq .config.config.Env

      --json             all of it, the configuration as it is, as JSON
  -q, --quiet    -v, --verbose    --explain    -h, --help

The options that choose an image, a registry and a store are those of
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

/** What `--help` says. */
export const help: Readonly<Record<HelpTopic, string>> = { unpack, login, logout, store, ls, cat, inspect, verify };
