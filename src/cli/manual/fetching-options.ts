import type { OptionGroup } from "./option-text.ts";

/** What the options say that choose an image, a registry and a store. */
export const fetchingOptions = [
  {
    title: "Which image",
    options: {
      platform: {
        brief: "choose from an image for several platforms",
        more: " (default: this machine's)",
      },
      arch: { brief: "choose the processor only", more: ", as in arm64 or arm/v7" },
      os: { brief: "choose the operating system only" },
    },
  },
  {
    title: "Which registry, and how",
    note: "what docker, podman and containerd have in their files counts here too: logins, mirrors, certificates; so do HTTPS_PROXY and NO_PROXY",
    options: {
      username: { value: "NAME", brief: "log in as NAME, with --password-stdin" },
      "password-stdin": { brief: "read the password from standard input" },
      authfile: { brief: "look for logins in this file first" },
      "hosts-dir": {
        brief: "read mirrors from containerd's hosts.toml files in DIR",
        more: " (default: /etc/containerd/certs.d)",
      },
      "tls-ca": { brief: "trust the authorities in FILE too" },
      "tls-cert": { brief: "send this client certificate to the registry" },
      "tls-key": { brief: "the certificate's key", more: ", if it is not in the same file" },
      "insecure-skip-tls-verify": { brief: "accept any certificate", more: ", also that of an attacker" },
      "plain-http": {
        brief: "talk to the registry without TLS",
        more: "; for loopback addresses and localhost this needs no option",
      },
      "short-names": {
        brief: "what a name without a registry means",
        more: ": Docker Hub, or what podman's [aliases] say (default: docker)",
      },
      "all-proxy": { brief: "use $ALL_PROXY where no other variable names a proxy" },
      "connections-per-blob": {
        value: "N",
        brief: "fetch a large layer over up to N connections",
        more: " where one is slow (default: 1)",
      },
      "foreign-layers": {
        brief: "fetch layers that the registry lacks from elsewhere",
        more: ": from the urls that the image names, without credentials",
      },
    },
  },
  {
    title: "Which hosts may be connected to",
    note: "a registry never leads to a nearer address than its own",
    options: {
      "deny-private": {
        brief: "connect to no private, link-local or loopback address",
        more: ", whatever name it has, not even to the registry",
      },
      "allow-host": {
        value: "HOST",
        brief: "trust HOST like the registry itself",
        more: ": it may be private, and gets the login; HOST, HOST:PORT, *.SUFFIX or a network, as in 10.0.0.0/8",
      },
    },
  },
  {
    title: "What is kept for next time",
    options: {
      store: {
        brief: "keep blobs in DIR, and download none that is there",
        more: "; DIR is an OCI image layout",
      },
      keep: {
        brief: "keep there what the image becomes, for the next time",
        more: " (rootfs, tar, erofs, squashfs, ext4), and give that out then",
      },
      clone: {
        value: "HOW",
        brief: "keep a rootfs there, and make it of that the next time",
        more: ": auto (default), reflink, copy, or hardlink, which is for roots that nobody writes to; implies --keep",
      },
      offline: { brief: "take everything from the store, use no network" },
      "no-index": { brief: "keep no index of what is in each layer, and use none" },
    },
  },
] as const satisfies readonly OptionGroup[];
