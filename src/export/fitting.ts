import type { SkipReason } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import type { ExportForm } from "../base/option-words.ts";
import { CountedLimit } from "../layer/counted-limits.ts";
import { entryLimitExceeded } from "../layer/findings.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { ArchivedFile } from "../tar/encoder.ts";
import type { Timestamp } from "../tar/entry.ts";
import { tellableOfRoot } from "./file-system-tool.ts";

/** Is called for each attribute of a file that the form cannot store. */
export type Loss = (path: ByteString, reason: SkipReason, detail: string) => void;

/** What a form can store, as far as the program that makes it takes it from an archive. */
interface Capacity {
  /** Whether files can have holes. Otherwise these are filled with zeros. */
  readonly hasHoles: boolean;
  /** Whether a time may have a fraction of a second. */
  readonly fractions: "all" | "after 1970" | "none";
  /** Seconds since 1970. */
  readonly earliest: number;
  readonly latest: number;
  /** Beginnings of the names of extended attributes. */
  readonly xattrs: readonly string[];
  /** Whether the root's extended attributes go through a command line. */
  readonly tellsOfRoot?: boolean;
}

const anyTime = { earliest: Number.NEGATIVE_INFINITY, latest: Number.POSITIVE_INFINITY };

/** Found by trying erofs-utils 1.8, squashfs-tools 4.6 and e2fsprogs 1.47. */
const capacities: Readonly<Record<ExportForm, Capacity>> = {
  tar: { hasHoles: true, fractions: "all", ...anyTime, xattrs: [""] },
  // mkfs.erofs does not know sparse members, misreads fractions of times before 1970, and ignores other attributes.
  erofs: {
    hasHoles: false,
    fractions: "after 1970",
    ...anyTime,
    xattrs: ["user.", "trusted.", "security.", "system.posix_acl_"],
  },
  // sqfstar does not know most sparse members. It only takes times that squashfs can store.
  squashfs: {
    hasHoles: false,
    fractions: "none",
    earliest: 0,
    latest: 2 ** 32 - 1,
    xattrs: ["user.", "trusted.", "security."],
    tellsOfRoot: true,
  },
  // mke2fs takes only this attribute from an archive, and only whole seconds.
  ext4: {
    hasHoles: true,
    fractions: "none",
    earliest: -(2 ** 31),
    latest: 2 ** 31 - 1,
    xattrs: ["security.capability"],
  },
};

/**
 * Returns a function that makes of a file what a form can store. It reports what is lost, except fractions of seconds.
 */
export function fitting(form: ExportForm, limits: Limits, loss: Loss): (file: ArchivedFile) => ArchivedFile {
  const capacity = capacities[form];
  const { fileBytes } = limits;
  const filled = new CountedLimit(limits, "totalBytes", "bytes in files with their holes filled");
  if (form === "tar") return (file) => file;
  return (file) => {
    const { path, mtime, xattrs: _xattrs, segments: _segments, atime: _atime, ...rest } = file;
    if (!capacity.hasHoles && file.sizeBytes > fileBytes) {
      throw entryLimitExceeded(path, `a file of ${file.sizeBytes} bytes, holes filled`, "fileBytes", fileBytes);
    }
    if (!capacity.hasHoles && file.segments !== undefined) filled.spend(file.sizeBytes, path);
    const xattrs = fittingAttributes(file, capacity, loss);
    return {
      ...rest,
      path,
      mtime: fittingTime(path, mtime, capacity, loss),
      ...(capacity.hasHoles && file.segments !== undefined && { segments: file.segments }),
      ...(xattrs !== undefined && xattrs.size > 0 && { xattrs }),
    };
  };
}

function fittingTime(
  path: ByteString,
  time: Timestamp,
  { fractions, earliest, latest }: Capacity,
  loss: Loss,
): Timestamp {
  const seconds = Math.min(Math.max(time.seconds, earliest), latest);
  if (seconds !== time.seconds) loss(path, "times", `${seconds} stands for ${time.seconds}`);
  const keepsFraction = fractions === "all" || (fractions === "after 1970" && seconds >= 0);
  return { seconds, nanoseconds: keepsFraction ? time.nanoseconds : 0 };
}

function fittingAttributes(
  { path, type, xattrs }: ArchivedFile,
  capacity: Capacity,
  loss: Loss,
): ArchivedFile["xattrs"] {
  if (xattrs === undefined) return undefined;
  // Only files and directories can have attributes of the user namespace (xattr(7)).
  const hasUserAttributes = type === "file" || type === "directory";
  const candidates = capacity.tellsOfRoot && path === "./" ? tellableOfRoot(xattrs) : xattrs;
  const isKept = (name: ByteString) =>
    candidates.has(name) &&
    (hasUserAttributes || !name.startsWith("user.")) &&
    !name.includes("=") && // because of how libarchive writes it, mkfs.erofs misreads the value and sqfstar the name
    capacity.xattrs.some((beginning) => name.startsWith(beginning));
  return new Map(
    [...xattrs].filter(([name]) => {
      if (isKept(name)) return true;
      loss(path, "xattr-unsupported", textOf(name));
      return false;
    }),
  );
}
