import type { WarningCode } from "../index.ts";

/** What each warning is about, for one and for several of them; docs/errors.md says more of each. */
export const warningWords: Readonly<Record<WarningCode, readonly [singular: string, plural: string]>> = {
  MEDIA_TYPE_DISAGREES: [
    "layer not compressed as its media type says",
    "layers not compressed as their media type says",
  ],
  HISTORY_DISAGREES: ["history of another number of layers", "histories of another number of layers"],
  PLATFORM_DIFFERS: [
    "image for another platform than this machine's",
    "images for another platform than this machine's",
  ],
  DIGEST_HEADER_DISAGREES: ["digest header that is wrong", "digest headers that are wrong"],
  TRAILING_BYTES: ["layer with something behind its end", "layers with something behind their end"],
  MISSING_END_MARKER: ["archive without end marker", "archives without end marker"],
  LONE_ZERO_BLOCK: ["a single block of zeros between entries", "single blocks of zeros between entries"],
  GLOBAL_HEADER_IGNORED: ["global header ignored", "global headers ignored"],
  PATH_NORMALISED: ["path with `..` in it", "paths with `..` in them"],
  TRAILING_SLASH: ["file whose name ends in a slash", "files whose names end in a slash"],
  EMPTY_NAME: ["entry without a name", "entries without a name"],
  DUPLICATE_ENTRY: ["path named twice", "paths named twice"],
  PARENT_REPLACED: ["file replaced by a directory that was needed", "files replaced by directories that were needed"],
  RESERVED_NAME: ["reserved name", "reserved names"],
  UNUSUAL_WHITEOUT: ["whiteout that is no empty file", "whiteouts that are no empty files"],
  UNSUPPORTED_TYPE: ["entry of an unknown type", "entries of unknown types"],
  TIME_CLAMPED: ["time out of range", "times out of range"],
  LINK_COPIED: ["hard link that became a copy", "hard links that became copies"],
  SETGID_DROPPED: ["set-group-ID bit dropped", "set-group-ID bits dropped"],
  LINK_ATTRIBUTES: ["hard link that states other attributes", "hard links that state other attributes"],
  WHITEOUT_WITHOUT_TARGET: ["whiteout of nothing", "whiteouts of nothing"],
  XATTR_NOT_APPLIED: ["extended attribute not stored", "extended attributes not stored"],
  LABEL_LEFT_OUT: [
    "bundle without labels that a runtime would obey",
    "bundles without labels that a runtime would obey",
  ],
  PATTERN_UNMATCHED: ["pattern that matches nothing", "patterns that match nothing"],
  CREDENTIALS_IGNORED: ["login that was rejected", "logins that were rejected"],
  CONFIGURATION: ["configuration file not used as written", "configuration files not used as written"],
};
