import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { Findings } from "./findings.ts";

/** What becomes of an extended attribute: it is set, or left out, or left out with a warning because it would act. */
export type XattrVerdict = "set" | "leave-out" | "leave-out-and-warn";

/** Names of extended attributes; one that ends in `*` stands for all names that begin so. */
interface XattrLists {
  /** Set although the table says otherwise. */
  readonly include: readonly string[];
  /** Left out whatever else is said. */
  readonly exclude: readonly string[];
}

/**
 * What describes the machine that built the layer, or is another tool's or file system's bookkeeping, and is wrong
 * anywhere else: what attr(1) says not to copy (xattr.conf), what umoci leaves out, and what file systems that span
 * machines keep of their own (Lustre, GlusterFS, Ceph, GPFS, BeeGFS, OrangeFS, AFS, CIFS, NFS).
 */
const foreign = [
  "security.selinux",
  "security.apparmor",
  "security.SMACK64*",
  "security.ima",
  "security.evm",
  "system.nfs4_acl",
  "system.nfs4acl",
  "system.nfs4_dacl",
  "system.nfs4_sacl",
  "system.richacl",
  "system.cifs_*",
  "system.smb3_*",
  "smb3.*",
  "user.cifs.*",
  "system.ntfs_*",
  "system.pvfs2.*",
  "user.pvfs2.*",
  "btrfs.*",
  "ceph.*",
  "lustre.*",
  "glusterfs.*",
  "gpfs.*",
  "afs.*",
  "xfsroot.*",
  // On XFS this is where the kernel keeps access-control lists: setting it gives rights that nothing else here has
  // judged.
  "trusted.SGI_*",
  "trusted.lov",
  "trusted.lmv",
  "trusted.lma",
  "trusted.link",
  "trusted.fid",
  "trusted.version",
  "trusted.hsm",
  "trusted.som",
  "trusted.dmv",
  "trusted.lustre.*",
  "trusted.glusterfs.*",
  "trusted.gfid*",
  "trusted.pgfid.*",
  "trusted.afr.*",
  "trusted.ec.*",
  "trusted.bit-rot.*",
  // What an NFS server on this machine would follow to another one.
  "trusted.junction.*",
  "user.fhgfs",
  "user.rootlesscontainers",
  "user.containers.override_stat",
  "user.fuseoverlayfs.*",
  "user.rsync.%*",
];

/**
 * What an overlay file system on this machine would obey when it meets the tree: hide files, or show others in their
 * place.
 */
const overlay = ["trusted.overlay.*", "user.overlay.*"];

/** Judges extended attributes by their names. */
export class XattrFilter {
  readonly #lists: XattrLists;

  constructor(lists: XattrLists) {
    this.#lists = lists;
  }

  verdict(name: ByteString): XattrVerdict {
    if (isListed(name, this.#lists.exclude)) return "leave-out";
    if (isListed(name, this.#lists.include)) return "set";
    if (isListed(name, overlay)) return "leave-out-and-warn";
    return isListed(name, foreign) ? "leave-out" : "set";
  }

  /** Whether an attribute would be set, were it not for the list of those that are left out whatever else is said. */
  isOnlyExcluded(name: ByteString): boolean {
    const { exclude, include } = this.#lists;
    return isListed(name, exclude) && new XattrFilter({ include, exclude: [] }).verdict(name) === "set";
  }
}

function isListed(name: ByteString, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === (pattern as ByteString),
  );
}

/** Judges the extended attributes of entries by the filter table, and tells of those that are left out. */
export class XattrRules {
  readonly #filter: XattrFilter;
  readonly #findings: Findings;

  constructor(filter: XattrFilter, findings: Findings) {
    this.#filter = filter;
    this.#findings = findings;
  }

  /** Whether what stands at `path` is to have an attribute of that name. */
  isKept(path: ByteString, name: ByteString): boolean {
    if (name === "" || name.includes("\0")) {
      this.lose(path, "xattr-unsupported", name, "it has no proper name");
      return false;
    }
    const verdict = this.#filter.verdict(name);
    if (verdict === "set") return true;
    this.#findings.skipped(path, "xattr-filtered", textOf(name));
    if (verdict === "leave-out-and-warn") {
      this.#findings.repaired("XATTR_NOT_APPLIED", `${textOf(name)} would act on this machine's overlays`, path);
    }
    return false;
  }

  /** Whether an attribute that is there may be an image's. What the filter table keeps out came from elsewhere. */
  isOfImage(name: ByteString): boolean {
    return this.#filter.verdict(name) === "set";
  }

  /** Tells that an attribute cannot be kept, and why. */
  lose(path: ByteString, reason: "xattr-unsupported" | "xattr-denied", name: ByteString, why: string): void {
    this.#findings.repaired("XATTR_NOT_APPLIED", `${textOf(name)} is left out: ${why}`, path);
    this.#findings.skipped(path, reason, textOf(name));
  }
}
