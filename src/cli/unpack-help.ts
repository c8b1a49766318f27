/** What `oci-unpack --help` says: usage, all options, environment and exit status. */
export const unpackHelp = `\
Usage: oci-unpack [unpack] [OPTIONS] IMAGE DIRECTORY
       oci-unpack [OPTIONS] --output FORM -o FILE IMAGE
       oci-unpack login|logout [OPTIONS] REGISTRY
       oci-unpack store list|verify|prune [OPTIONS]
       oci-unpack inspect|ls|cat [OPTIONS] IMAGE [PATH]
       oci-unpack history [OPTIONS] IMAGE [PATH]
       oci-unpack verify [OPTIONS] DIRECTORY [IMAGE]
       oci-unpack diff [OPTIONS] IMAGE1 IMAGE2 [PATH]
       oci-unpack sync [OPTIONS] DIRECTORY IMAGE
       oci-unpack signatures [OPTIONS] IMAGE

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
      --tls-cert FILE    send this client certificate to the registry,
      --tls-key FILE     with this key, if it is not in the same file
      --insecure-skip-tls-verify
                         accept any certificate, also that of an attacker
      --plain-http       talk to the registry without TLS; for loopback
                         addresses and localhost this needs no option
      --short-names docker|podman
                         what a name without a registry means: Docker Hub, or
                         what podman's [aliases] say (default: docker)
      --all-proxy        use $ALL_PROXY where no other variable names a proxy
      --connections-per-blob N
                         fetch a large layer over up to N connections where one
                         is slow (default: 1)
      --foreign-layers   fetch layers that the registry lacks from the urls that
                         the image names, without credentials

Which hosts may be connected to (a registry never leads to a nearer address
than its own)
      --deny-private     connect to no private, link-local or loopback address,
                         whatever name it has, not even to the registry
      --allow-host HOST  trust HOST like the registry itself: it may be private,
                         and gets the login; HOST, HOST:PORT, *.SUFFIX or a
                         network, as in 10.0.0.0/8; may be repeated

What is kept for next time
      --store DIR        keep blobs in DIR, and download none that is there; DIR
                         is an OCI image layout
      --keep             keep there what the image becomes (rootfs, tar, erofs,
                         squashfs, ext4), and give that out the next time
      --clone HOW        keep a rootfs there, and make it of that the next time:
                         auto (default), reflink, copy, or hardlink, which is
                         for roots that nobody writes to; implies --keep
      --offline          take everything from the store, use no network
      --no-index         keep no index of what is in each layer, and use none

What it becomes
      --output FORM      rootfs: one directory (default)
                         overlay: a directory for each layer, and mount.sh,
                         which mounts them as one with the kernel's overlayfs
                         tar: one archive of all its files
                         erofs, squashfs, ext4: a file system in a file, which
                         can be mounted
                         layout, oci-archive, docker-archive: a copy of the
                         image as it is, with all its digests
                         files: for an artifact (a chart, a model, a bill of
                         materials): its layers as DIRECTORY/files, beside
                         manifest.json and config.json
  -o, --output-file PATH where a file or a copy goes; - is standard output, for
                         archives
      --size SIZE        make the ext4 file system this large, as in 2G
                         (default: as large as it must be)
      --verity           put a hash tree behind the file system, with which a
                         kernel verifies what it reads (dm-verity), and tell its
                         root hash
      --verity-file PATH put that hash tree into a file of its own
      --all-platforms    copy all that the image's index lists
      --signatures       copy its signatures and attestations along, into a
                         layout or oci-archive, to be verified where that is
      --overlay privileged|userxattr
                         who can mount the overlay: root, or anybody in a user
                         namespace (default: the user who unpacks)
      --mount POINT      mount the overlay at once

What becomes of its files
      --include GLOB     only what GLOB matches, with all that is below it and
                         the directories that lead there; may be repeated
      --exclude GLOB     all but what GLOB matches; goes before --include
                         GLOB is a path from the root in the merged image: * is
                         any part of a name, ? a character, [a-z] one of several
                         and ** any number of names, as in etc, usr/*/bin or
                         **/*.pem; one that matches nothing is a warning
      --partial          with --include: of a layer that has a table of contents
                         (zstd:chunked, eStargz) only that and the bytes of the
                         wanted files; the table is its author's word, so not
                         with --strict
      --bundle           make DIRECTORY a bundle for runc or crun: config.json
                         is the container's, image-config.json the image's
      --mtree FILE       list them in FILE, as mtree and bsdtar read it: type,
                         mode, owner, time, size, link and SHA-256 of each
      --rootless         record owners that files cannot be given, as umoci and
                         podman do; with --bundle: for a runtime that runs as
                         this user
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
      --add-file [MODE:[UID:GID:]]SOURCE:TARGET
                         put a file of this machine on top of the image, as a
                         last layer would; its mode is that of SOURCE, its owner
                         0:0; may be repeated
      --xattr-include NAME
      --xattr-exclude NAME
                         set, or leave out, this extended attribute; NAME may
                         end in *, as in user.overlay.*; may be repeated
      --keep-dirlinks    where a layer has a directory and a lower one a link of
                         that name, keep the link and follow it
      --strict           refuse an image in which something would have to be
                         repaired, instead of repairing it with a warning

Safety
      --verify-key FILE  take only an image that this public key signed (PEM, as
                         cosign.pub); may be repeated: one of them is enough
      --certificate-identity NAME
      --certificate-oidc-issuer URL
                         take only an image that NAME signed with a certificate
                         (an e-mail address, or the URL of a build), for whom
                         URL vouched; with --verify-key both are demanded
      --certificate-identity-regexp REGEXP
      --certificate-oidc-issuer-regexp REGEXP
                         the same by regular expressions, which have to match
                         the whole name
      --trusted-root FILE
                         whose certificates, logs and timestamps count, instead
                         of those of the public Sigstore instance; a key's
                         signature has to be in one of the logs then
      --require-attestation TYPE
                         of whom these options name there has to be an
                         attestation with this predicate type; may be repeated:
                         each is demanded
      --policy FILE|machine
                         take only an image that this policy.json accepts, as
                         podman and skopeo have it; machine: the one that podman
                         would use (~/.config/containers, /etc/containers)
      --sandbox require|prefer|off
                         whether the threads that touch the image must, should
                         or need not be confined by Landlock (default: require)
      --can-skip-sandbox short for --sandbox prefer
      --threads N        for how many processors the work is divided (default:
                         all); from 4 on several threads decompress a large
                         gzip layer together
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
  3  oci-unpack verify, diff, sync --dry-run: different
  130, 143, 129  interrupted (SIGINT, SIGTERM, SIGHUP) and cleaned up; a second
     signal ends at once, without cleaning up
`;
