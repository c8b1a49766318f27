import { constants } from "node:fs";
import { type OciUnpackError, retold } from "../base/errors.ts";
import type { OverlayKind } from "../base/option-words.ts";
import { errnos } from "../linux/errno.ts";
import { makeNodeAt } from "../linux/syscalls.ts";
import { readXattrAt, setXattr } from "../linux/xattrs.ts";
import type { StoredNames } from "../rootfs/disk-xattrs.ts";
import { failure } from "../rootfs/failure.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";

const prefixes = { privileged: "trusted.overlay.", userxattr: "user.overlay." } as const;

/**
 * What an escaped attribute has behind the prefix, so that the overlay shows it without (Linux 6.7; older ones hide
 * it).
 */
const escapeWord = "overlay.";

const yes = new Uint8Array(Buffer.from("y"));

/** How an overlay's layers say what they hide (kernel documentation, overlayfs, "whiteouts and opaque directories"). */
export class OverlayFormat implements StoredNames {
  readonly kind: OverlayKind;
  /** Attributes whose names begin so mean something to the overlay. */
  readonly prefix: string;
  readonly #opaque: ByteString;

  constructor(kind: OverlayKind) {
    this.kind = kind;
    this.prefix = prefixes[kind];
    this.#opaque = byteStringOf(`${this.prefix}opaque`);
  }

  stored(name: ByteString): ByteString {
    if (!name.startsWith(this.prefix)) return name;
    return (this.prefix + escapeWord + name.slice(this.prefix.length)) as ByteString;
  }

  stated(stored: ByteString): ByteString | undefined {
    if (!stored.startsWith(this.prefix)) return stored;
    if (!stored.startsWith(this.prefix + escapeWord)) return undefined;
    return (this.prefix + stored.slice(this.prefix.length + escapeWord.length)) as ByteString;
  }

  /** Marks a name as hidden: a device that no image can have otherwise. */
  makeWhiteout(directory: number, name: ByteString, path: ByteString): void {
    const result = makeNodeAt(directory, name, constants.S_IFCHR, 0, 0);
    if (result < 0) throw unmarked("mknodat(S_IFCHR, 0:0)", path, result, toAnother);
  }

  /** Marks a directory as hiding all that layers below have in it. */
  makeOpaque(directory: number, path: ByteString): void {
    const result = setXattr(directory, this.#opaque, yes);
    if (result < 0) throw unmarked(`fsetxattr("${this.#opaque}")`, path, result, withoutPrivilege);
  }

  isOpaque(parent: number, name: ByteString): boolean {
    const value = readXattrAt(parent, name, this.#opaque);
    return typeof value !== "number" && value.length === 1 && value[0] === yes[0];
  }
}

const withoutPrivilege = 'choose the kind of overlay that needs no privilege: `overlay: "userxattr"`';

/** A whiteout needs no privilege (Linux 5.8), but a mounted overlay has only its own. */
const toAnother = "unpack into a file system that is no overlay itself, as a container's root often is";

function unmarked(call: string, path: ByteString, result: number, hintWhereForbidden: string): OciUnpackError {
  const error = failure("mark", path, call, result);
  const hints: Readonly<Record<number, string>> = {
    [errnos.EPERM]: hintWhereForbidden,
    [errnos.ENOTSUP]: "unpack into a file system that can be a layer of an overlay",
  };
  const hint = hints[-result];
  return hint === undefined ? error : retold(error, error.message, { hint });
}
