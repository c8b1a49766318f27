import type { OptionGroup } from "./option-text.ts";

/** What the options say for what an image becomes, what of it is trusted, and what is printed. */
export const makingOptions = [
  {
    title: "What it becomes",
    options: {
      output: {
        value: "FORM",
        brief: "what the image becomes, in place of one directory",
        more: `:
rootfs: one directory (default)
overlay: a directory for each layer, and mount.sh, which mounts them as one with the kernel's overlayfs
tar: one archive of all its files
erofs, squashfs, ext4: a file system in a file, which can be mounted
layout, oci-archive, docker-archive: a copy of the image as it is, with all its digests
files: for an artifact (a chart, a model, a bill of materials): its layers as DIRECTORY/files, beside manifest.json and config.json`,
      },
      "output-file": {
        value: "PATH",
        brief: "where a file or a copy goes",
        more: "; - is standard output, for archives",
      },
      size: {
        value: "SIZE",
        brief: "make the ext4 file system this large",
        more: ", as in 2G (default: as large as it must be)",
      },
      verity: {
        brief: "put a hash tree behind the file system",
        more: ", with which a kernel verifies what it reads (dm-verity), and tell its root hash",
      },
      "verity-file": { value: "PATH", brief: "put that hash tree into a file of its own" },
      "all-platforms": { brief: "copy all that the image's index lists" },
      signatures: {
        brief: "copy its signatures and attestations along",
        more: ", into a layout or oci-archive, to be verified where that is",
      },
      overlay: {
        brief: "who can mount the overlay",
        more: ": root, or anybody in a user namespace (default: the user who unpacks)",
      },
      mount: { value: "POINT", brief: "mount the overlay at once" },
    },
  },
  {
    title: "What becomes of its files",
    options: {
      include: {
        value: "GLOB",
        brief: "only what GLOB matches",
        more: ", with all that is below it and the directories that lead there",
      },
      exclude: {
        value: "GLOB",
        brief: "all but what GLOB matches",
        more: "; goes before --include. GLOB is a path from the root in the merged image: * is any part of a name, ? a character, [a-z] one of several and ** any number of names, as in etc, usr/*/bin or **/*.pem; one that matches nothing is a warning",
      },
      partial: {
        brief: "read a layer's table of contents, not the whole layer",
        more: ", where it has one (zstd:chunked, eStargz): in unpacking with --include, that and the bytes of the wanted files alone; the table is its author's word, so not with --strict",
      },
      bundle: {
        brief: "make DIRECTORY a bundle for runc or crun",
        more: ": config.json is the container's, image-config.json the image's",
      },
      mtree: {
        brief: "list the files in FILE, as mtree and bsdtar read it",
        more: ": type, mode, owner, time, size, link and SHA-256 of each",
      },
      rootless: {
        brief: "record owners that files cannot be given",
        more: ", as umoci and podman do; with --bundle: for a runtime that runs as this user",
      },
      owner: {
        brief: "give files the owners that the image states, or yours",
        more: " (default: preserve as root, otherwise ignore)",
      },
      "uid-map": {
        value: "CONTAINER:HOST[:SIZE]",
        brief: "shift users, as owners and in access-control lists",
      },
      "gid-map": {
        value: "CONTAINER:HOST[:SIZE]",
        brief: "shift groups, as owners and in access-control lists",
      },
      devices: {
        brief: "leave device nodes out, or what else is done with them",
        more: ": make them, put empty files in their place, or refuse the image (default: skip)",
      },
      "add-file": {
        value: "[MODE:[UID:GID:]]SOURCE:TARGET",
        brief: "put a file of this machine on top of the image",
        more: ", as a last layer would; its mode is that of SOURCE, its owner 0:0",
      },
      "xattr-include": {
        value: "NAME",
        brief: "set this extended attribute, which is else left out",
        more: "; NAME may end in *, as in user.overlay.*",
      },
      "xattr-exclude": {
        value: "NAME",
        brief: "leave this extended attribute out",
        more: "; NAME may end in *",
      },
      "keep-dirlinks": {
        brief: "keep links in the place of directories, and follow them",
        more: ": where a layer has a directory, and a lower one a link of that name",
      },
      strict: {
        brief: "refuse an image in which something has to be repaired",
        more: ", instead of repairing it with a warning",
      },
    },
  },
  {
    title: "Safety",
    options: {
      "verify-key": {
        brief: "take only an image that this public key signed",
        more: " (PEM, as cosign.pub); of several keys one is enough",
      },
      "certificate-identity": {
        value: "NAME",
        brief: "take only an image that NAME signed with a certificate",
        more: " (an e-mail address, or the URL of a build); with --verify-key both are demanded",
      },
      "certificate-oidc-issuer": { value: "URL", brief: "who has to have vouched for that NAME" },
      "certificate-identity-regexp": {
        value: "REGEXP",
        brief: "NAME by a regular expression",
        more: ", which has to match the whole name",
      },
      "certificate-oidc-issuer-regexp": {
        value: "REGEXP",
        brief: "URL by a regular expression",
        more: ", which has to match all of it",
      },
      "trusted-root": {
        brief: "whose certificates, logs and timestamps count",
        more: ", instead of those of the public Sigstore instance; a key's signature has to be in one of the logs then",
      },
      "require-attestation": {
        value: "TYPE",
        brief: "demand an attestation with this predicate type",
        more: ", made by one of those whom these options name; each that is named is demanded",
      },
      policy: {
        brief: "take only an image that this policy.json accepts",
        more: ", as podman and skopeo have it; machine: the one that podman would use (~/.config/containers, /etc/containers)",
      },
      sandbox: {
        brief: "how strictly Landlock confines what touches the image",
        more: ": the threads must be, should be or need not be confined (default: require; prefer where there is no Linux)",
      },
      "can-skip-sandbox": { brief: "short for --sandbox prefer" },
      threads: {
        value: "N",
        brief: "for how many processors the work is divided",
        more: " (default: all); from 4 on several threads decompress a large layer together, gzip or zstd of many frames, and make files together",
      },
      limit: {
        brief: "change one limit, as in --limit totalBytes=10G",
        more: " (--limit help lists them)",
      },
    },
  },
  {
    title: "What is printed",
    options: {
      json: {
        brief: "the result, or the error, as one JSON object",
        more: " on standard output; all else goes to standard error",
      },
      "json-events": {
        brief: "each event, and an error, as one JSON object a line",
        more: " on standard error, which then has nothing else: for programs that show the progress",
      },
      explain: {
        brief: "each decision and its reason",
        more: ": files read, mirrors, credentials, platforms (with --json also as data)",
      },
      quiet: { brief: "errors only" },
      verbose: { brief: "each request, each warning, each entry left out" },
      version: { brief: "the version of oci-unpack" },
      help: { value: "[all]", brief: "the common options; with all: every one" },
    },
  },
] as const satisfies readonly OptionGroup[];
