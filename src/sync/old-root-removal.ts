import { OciUnpackError } from "../base/errors.ts";
import { quoted } from "../layer/findings.ts";
import type { Stat } from "../linux/stat.ts";
import type { Rights } from "../linux/thread.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { DiskEntry } from "../verify/disk-entry.ts";

/** What the old root has that would stay when it is removed. */
interface Obstacle {
  readonly path: ByteString;
  readonly reason: string;
  readonly hint: string;
}

/**
 * Finds out whether this user can remove the old root, while that is compared. It is known before the roots are exchanged,
 * as afterwards there would be a new root, and half an old one. Of what cannot be read, and of what is kept, nothing is known.
 */
export class OldRootRemoval {
  readonly #rights: Rights;
  /** Directories out of which this user can remove nothing. */
  readonly #closed = new Set<ByteString>();
  #previous: ByteString | undefined;
  #obstacle: Obstacle | undefined;

  constructor(rights: Rights) {
    this.#rights = rights;
  }

  /** Takes notice of what is there: a directory right before or right after what is in it. */
  look({ path }: Pick<DiskEntry, "path">, stat: Stat): void {
    if (stat.isProtected) {
      this.#obstacle ??= { path, reason: "it is immutable, or append-only", hint: "chattr -i -a takes that from it" };
    }
    if (this.#closed.size > 0 && this.#closed.has(parentOf(path))) this.#isInTheWay(path);
    if (stat.type === "directory" && this.#isClosed(stat)) {
      if (this.#previous !== undefined && parentOf(this.#previous) === path) this.#isInTheWay(this.#previous);
      this.#closed.add(path);
    }
    this.#previous = path;
  }

  /** Throws where something would stay. */
  insist(): void {
    if (this.#obstacle === undefined) return;
    const { path, reason, hint } = this.#obstacle;
    throw new OciUnpackError("FILE_SYSTEM", `cannot remove ${quoted(path)} with the old root: ${reason}`, {
      hint,
      details: { path: textOf(path) },
    });
  }

  #isInTheWay(path: ByteString): void {
    const reason = "its directory belongs to another user";
    this.#obstacle ??= { path, reason, hint: "remove it first, or do this as a user who may" };
  }

  #isClosed({ uid, gid, mode }: Stat): boolean {
    return uid !== this.#rights.user && (mode & 0o022) === 0 && !this.#rights.mayGiveTo(uid, gid);
  }
}

function parentOf(path: ByteString): ByteString {
  const end = path.lastIndexOf("/");
  return (end < 0 ? "." : path.slice(0, end)) as ByteString;
}
