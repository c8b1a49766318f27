import type { Attributes } from "../layer/attributes.ts";
import type { XattrFilter } from "../layer/xattr-filter.ts";
import { errnos } from "../linux/errno.ts";
import type { Rights } from "../linux/rights.ts";
import type { Stat } from "../linux/stat.ts";
import { listXattrsAt, readXattrAt } from "../linux/xattrs.ts";
import type { XattrIds } from "../rootfs/xattr-ids.ts";
import { type ByteString, byteString } from "../tar/byte-string.ts";
import { type DiskEntry, succeeded } from "./disk-entry.ts";

/** The extended attributes of a file on the disk. */
export type FoundXattrs = ReadonlyMap<ByteString, ByteString>;

/** The size of an access-control list that says the same as the mode. The kernel does not store such a list. */
const trivialAclBytes = 4 + 3 * 8;

/** Reads the extended attributes of what is at a name. */
export function xattrsAt({ descriptor, name, path }: DiskEntry): FoundXattrs {
  const names = succeeded(listXattrsAt(descriptor, name), path, "llistxattr");
  return new Map(
    names.map((xattr) => [xattr, byteString(succeeded(readXattrAt(descriptor, name, xattr), path, "lgetxattr"))]),
  );
}

/** Compares extended attributes. */
export class XattrComparison {
  readonly #filter: XattrFilter;
  readonly #ids: XattrIds;
  readonly #rights: Rights;

  constructor(filter: XattrFilter, ids: XattrIds, rights: Rights) {
    this.#filter = filter;
    this.#ids = ids;
    this.#rights = rights;
  }

  /** Whether a file has the attributes that the image states, and no others except those that unpacking never sets. */
  areRight(
    { xattrs: stated = new Map() }: Attributes,
    found: FoundXattrs,
    type: Stat["type"],
    entry: DiskEntry,
  ): boolean {
    for (const [name, value] of stated) {
      const actual = found.get(name);
      const expected = this.#ids.onThisMachine(name, value).value;
      if (actual === undefined && (expected === undefined || this.#isImpossible(name, expected, type, entry))) continue;
      if (expected === undefined || actual !== byteString(expected)) return false;
    }
    return [...found.keys()].every((name) => stated.has(name) || this.#filter.verdict(name) === "leave-out");
  }

  /** Whether unpacking could not set an attribute, because this user may not or the file system does not store it. */
  #isImpossible(name: ByteString, value: Uint8Array, type: Stat["type"], entry: DiskEntry): boolean {
    const isPlain = type === "file" || type === "directory";
    if (name.startsWith("user.")) return !isPlain || isUnsupported(name, entry);
    if (name.startsWith("trusted.")) return !this.#rights.isRoot;
    if (name.startsWith("security.")) return !this.#rights.isRoot || isUnsupported(name, entry);
    if (name === "system.posix_acl_access") return value.length <= trivialAclBytes || isUnsupported(name, entry);
    return isUnsupported(name, entry);
  }
}

/** Whether the file system does not store attributes of that kind. Otherwise it would answer that there is none. */
function isUnsupported(xattr: ByteString, { descriptor, name }: DiskEntry): boolean {
  const result = readXattrAt(descriptor, name, xattr);
  return result === -errnos.ENOTSUP;
}
