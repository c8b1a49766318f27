import { posix } from "node:path";
import { limitExceeded, type OciUnpackError } from "../../base/errors.ts";
import type { Limits } from "../../base/limits.ts";
import { MemoryBudget } from "../../base/memory-budget.ts";
import type { ByteString } from "../../tar/byte-string.ts";
import { TarDecoder } from "../../tar/decoder.ts";
import type { ByteSource, Entry } from "../../tar/entry.ts";
import type { FileRange } from "./image-files.ts";

/** A member of an archive: a range of its bytes, or a link to another member. */
export type ArchiveMember = FileRange | { readonly link: ByteString };

/** A member with its name. */
export interface NamedMember {
  readonly name: ByteString;
  readonly member: ArchiveMember;
}

/**
 * Members with longer names are skipped, so that no archive has long keys. No file of an image has a longer name: the
 * longest are digests of 128 digits below three directories.
 */
const longestName = 1000;

/** How much memory a member takes besides its name: its objects and its entry in a map. */
const memberBytes = 200;

/** The members of an archive. Only headers are read. */
export function* archiveMembers(source: ByteSource, limits: Limits): Generator<NamedMember> {
  const memory = new MemoryBudget(limits);
  const decoder = new TarDecoder(source, { limits, strict: false, warning: () => {} });
  let count = 0;
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) {
    count += 1;
    if (count > limits.entries) throw tooMany(limits);
    const named = namedMember(entry, decoder.offset);
    if (named === undefined) continue;
    memory.spend(memberBytes + entry.path.length + entry.linkPath.length, "members of its archive");
    yield named;
  }
}

function namedMember(entry: Entry, bodyOffset: number): NamedMember | undefined {
  if (entry.path.length > longestName || entry.linkPath.length > longestName) return undefined;
  const member = memberOf(entry, bodyOffset);
  return member && { name: normalName(entry.path), member };
}

function memberOf(entry: Entry, bodyOffset: number): ArchiveMember | undefined {
  if (entry.type === "file" && entry.segments === undefined) return { offset: bodyOffset, sizeBytes: entry.sizeBytes };
  if (entry.type === "hardlink") return { link: normalName(entry.linkPath) };
  if (entry.type === "symlink") {
    return { link: normalName(posix.join(posix.dirname(entry.path), entry.linkPath) as ByteString) };
  }
  return undefined;
}

/** The normal form of a name: `./a//b` is `a/b`. A name that leads out of the archive is the name of no member. */
export function normalName(name: ByteString): ByteString {
  return posix.normalize(`/${name}`).slice(1) as ByteString;
}

function tooMany({ entries }: Limits): OciUnpackError {
  return limitExceeded(`it has more than the ${entries} members allowed (entries)`, "entries", { allowed: entries });
}
