import type { CommandText, ExitStatus } from "./command-text.ts";
import type { OptionText } from "./option-text.ts";

const compared: ExitStatus = [
  ["0", "the same"],
  ["1", "failed"],
  ["2", "wrong command line"],
];

const partial: OptionText = {
  brief: "take the word of a layer's table of contents for it",
  more: ", where it has one (zstd:chunked, eStargz)",
};

const ls: CommandText<"ls"> = {
  brief: "list what is in a directory of an image, without unpacking it",
  about: [
    'Lists what is in a directory of IMAGE, all layers merged, without unpacking it: type and mode, owner, size, time (UTC), and the layer that each entry is from, L1 being the bottom one (JSON counts from 0, as in "layers" of inspect --json).',
    "Layers are read from the newest down, each verified, and only as far as the answer needs; with --store, none that was read before: its index tells it all. Of an artifact no file is fetched, but an archive that PATH has to do with.",
  ],
  examples: ["oci-unpack ls debian:stable /etc", "oci-unpack ls -R --json alpine | jq -r '.entries[].path'"],
  own: {
    recursive: { brief: "list all that is below it" },
    digest: {
      brief: "show the SHA-256 of each file",
      more: ": its first 12 digits, or all with --json",
    },
    partial,
    json: { brief: "the entries, and how many bytes were fetched, as JSON" },
  },
  common: ["recursive", "digest", "platform", "store", "offline", "username", "password-stdin", "partial", "json"],
};

const cat: CommandText<"cat"> = {
  brief: "write a file of an image to standard output",
  about: [
    "Writes a file of IMAGE to standard output, without unpacking anything. Symlinks are followed, inside the image. On a terminal, what could act on it is shown as \\x1b.",
    "Layers are read from the newest down, and only until it is known which file is meant; its layer is verified before the first byte is written. With --store, layers that were read before are not read again, but the one that has the file, up to there; then the file is verified.",
  ],
  examples: ["oci-unpack cat debian:stable /etc/os-release"],
  own: {
    partial: {
      brief: "read a table of contents and the file's own bytes alone",
      more: ", where a layer has one (zstd:chunked, eStargz)",
    },
    json: { brief: "not here: a file is written as it is; ls --json tells of it" },
  },
  common: ["platform", "store", "offline", "username", "password-stdin", "partial"],
};

const inspect: CommandText<"inspect"> = {
  brief: "tell an image's platforms, layers and configuration",
  about: [
    "Tells what the documents of IMAGE say: its digest, its platforms, how it is to be run, and its layers with their sizes; of an artifact its type, its files and its annotations; of both what refers to it. No layer is downloaded. If there is nothing for this machine, the first image tells, and a warning says so.",
  ],
  examples: ["oci-unpack inspect debian:stable", "oci-unpack inspect --json alpine | jq .config.config.Env"],
  own: { json: { brief: "all of it, the configuration as it is, as JSON" } },
  common: ["platform", "store", "offline", "username", "password-stdin", "json"],
};

const history: CommandText<"history"> = {
  brief: "tell what each layer of an image did, to one path or at all",
  about: [
    "Tells of each layer of IMAGE, the oldest first, its size, how many entries it added (+), changed (~) and removed (-), when it was made and by which step. With PATH, what each layer did to it, the newest first, and what is there now. PATH is found as a process in a container finds it, through symlinks.",
    "Layers are read whole, or their indexes where a store has them (--store).",
  ],
  examples: [
    "oci-unpack history debian:stable",
    "oci-unpack history registry.example/app /etc/passwd",
    "oci-unpack history --json alpine | jq '.layers[] | [.layer, .added]'",
  ],
  own: {
    partial,
    json: { brief: "the answer as JSON; layers count from 0" },
  },
  common: ["platform", "store", "offline", "username", "password-stdin", "partial", "json"],
};

const verify: CommandText<"verify"> = {
  brief: "compare a directory with the image that it was unpacked from",
  about: [
    "Compares DIRECTORY/rootfs with IMAGE, from which it was unpacked, and lists what was added, is missing or has changed: type, mode, owner, time, size, content, link target, device number, extended attributes, and which names are one file. The layers are read from where IMAGE is, each verified; nothing is written.",
    "Without IMAGE it is the one in the store (--store) that has the configuration that lies in DIRECTORY. Options that decide what files become have to be those of the unpacking: --owner, --rootless, --uid-map, --gid-map, --devices, --xattr-include, --xattr-exclude, --keep-dirlinks, --include, --exclude.",
  ],
  examples: [
    "oci-unpack verify ./debian debian@sha256:…",
    "oci-unpack verify --store ./store ./debian",
    "oci-unpack verify --json ./debian debian:stable | jq -r .differences[].path",
  ],
  own: { json: { brief: "the differences as JSON" } },
  common: ["platform", "store", "offline", "include", "exclude", "owner", "rootless", "json", "quiet"],
  exitStatus: [...compared, ["3", "different, or something cannot be read"]],
};

const diff: CommandText<"diff"> = {
  brief: "compare two images",
  about: [
    "Compares two images, all layers merged, without unpacking them, and lists what was added, removed or has changed in IMAGE2: type, mode, owner, time, size, content (by SHA-256), link target, device number, extended attributes, and which names are one file; for each the layer that it is from, L1 being the bottom one (JSON counts from 0), and the instruction that made this layer. First come the differences of how they are to be run. With PATH it is what is there, and below.",
    "Layers that both have at the bottom are read once, and only if a difference depends on them. The options that choose an image, a registry and a store hold for both images.",
  ],
  examples: [
    "oci-unpack diff debian:12 debian:13",
    "oci-unpack diff -p linux/amd64 -p linux/arm64 alpine alpine /etc",
    "oci-unpack diff --ignore time docker-archive:app.tar registry.example/app",
    "oci-unpack diff --json app:1 app:2 | jq -r .differences[].path",
  ],
  own: {
    platform: { brief: "for both; given twice, for IMAGE1 and for IMAGE2" },
    ignore: {
      value: "PARTS",
      brief: "what need not be the same, separated by commas",
      more: ": type, mode, owner, time, size, content, target, device, xattrs, links",
    },
    partial,
    json: { brief: "the differences as JSON" },
  },
  common: ["platform", "ignore", "store", "offline", "username", "password-stdin", "partial", "json", "quiet"],
  exitStatus: [...compared, ["3", "different"]],
};

/** What is told of the commands that look into images. */
export const lookCommands = { ls, cat, inspect, history, verify, diff } as const;
