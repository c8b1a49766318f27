import { Buffer } from "node:buffer";
import type { OwnerChoice } from "../base/option-words.ts";
import { type Findings, refusal } from "../layer/findings.ts";
import { containerIdOf, hostIdOf } from "../layer/id-map.ts";
import type { IdMapping } from "../layer/settings.ts";
import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { readXattrAt } from "../linux/xattrs.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import { type Entry, isDevice } from "../tar/entry.ts";
import { failure } from "./failure.ts";

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Sets an extended attribute of a file that the caller knows. */
type SetXattr = (name: ByteString, value: Uint8Array) => Result;

/** What is to become of the owners that an image states. */
export interface OwnerPolicy {
  readonly owner: OwnerChoice;
  /** Whether an owner that a file does not get is written down in its extended attributes. */
  readonly areRecorded: boolean;
  /** What the image's ids are on this machine; absent: themselves. */
  readonly uidMap?: readonly IdMapping[];
  readonly gidMap?: readonly IdMapping[];
}

/** Without the privilege; in a user namespace that has no such user; through a mount that maps it to none. */
const refusals = [errnos.EPERM, errnos.EINVAL, errnos.EOVERFLOW];

/** Gives files to the owners that the image states, or notes on the files who that would be, or neither. */
export class Owners {
  readonly #policy: OwnerPolicy;
  readonly #newFiles: Owner;
  readonly #findings: Findings;

  /** `newFiles` is the owner that the kernel gives to new files here. */
  constructor(policy: OwnerPolicy, newFiles: Owner, findings: Findings) {
    this.#policy = policy;
    this.#newFiles = newFiles;
    this.#findings = findings;
  }

  /**
   * Changes the owner of a file, unless it has that one already: 0 is an owner like any other. Tells whether the file
   * has the stated owner now. What was made here has, until then, the owner that the kernel gives to new files.
   */
  give(
    path: ByteString,
    stated: Owner,
    chown: (uid: number, gid: number) => Result,
    present: Owner = this.#newFiles,
  ): boolean {
    if (this.#policy.owner === "ignore") return false;
    const { uid, gid } = this.#onThisMachine(stated, path);
    if (uid === present.uid && gid === present.gid) return true;
    const result = chown(uid, gid);
    if (result >= 0) return true;
    if (!refusals.includes(-result)) throw failure("give away", path, "chown", result);
    if (!this.#policy.areRecorded) this.#findings.lost(path, "owner", `this user may not give it to ${uid}:${gid}`);
    return false;
  }

  /** Whether a file has the stated owner, as far as those count. */
  isGiven(stated: Owner, present: Owner): boolean {
    if (this.#policy.owner === "ignore") return true;
    const { uidMap, gidMap } = this.#policy;
    return hostIdOf(stated.uid, uidMap) === present.uid && hostIdOf(stated.gid, gidMap) === present.gid;
  }

  /** The owner that an image would state of a file that is there; root where stated owners do not count. */
  statedFor(present: Owner): Owner {
    const { owner, uidMap, gidMap } = this.#policy;
    if (owner === "ignore") return { uid: 0, gid: 0 };
    return { uid: containerIdOf(present.uid, uidMap) ?? 0, gid: containerIdOf(present.gid, gidMap) ?? 0 };
  }

  /** The owner that the image stated of what stands at a name: as it was written down there, or else `statedFor` it. */
  statedAt(directory: number, name: ByteString, present: Owner): Owner {
    const record = this.#policy.areRecorded ? readXattrAt(directory, name, overrideStat) : -errnos.ENODATA;
    return (typeof record === "number" ? undefined : recordedOwner(record)) ?? this.statedFor(present);
  }

  #onThisMachine(stated: Owner, path: ByteString): Owner {
    const uid = hostIdOf(stated.uid, this.#policy.uidMap);
    const gid = hostIdOf(stated.gid, this.#policy.gidMap);
    if (uid !== undefined && gid !== undefined) return { uid, gid };
    throw refusal(
      path,
      `the owner ${stated.uid}:${stated.gid}, whom the maps of users and groups do not have`,
      'map all owners that the image has, or ignore them: `owner: "ignore"`',
    );
  }

  /** Whether a file's owner or type may have to be written down on it, which takes the right to write to it. */
  mayRecord(stated: Stated): boolean {
    return this.#policy.areRecorded && (stated.uid !== 0 || stated.gid !== 0 || isDevice(stated));
  }

  /** Writes on a file what it should be, for those who look at it as root of a container without privileges. */
  record(path: ByteString, stated: Stated, setXattr: SetXattr): void {
    if (!this.mayRecord(stated)) return;
    const owner = `${stated.uid}:${stated.gid}`;
    if (isRecorded(stated, setXattr)) {
      this.#findings.skipped(path, "owner", `${owner} is its owner by its extended attributes only`);
    } else this.#findings.lost(path, "owner", `${owner} can be neither its owner nor noted on it`);
  }

  /**
   * Writes on the root what it should be, whoever owns it: without, fuse-overlayfs would not look for records below it.
   */
  recordRoot(path: ByteString, stated: Stated, setXattr: SetXattr): void {
    if (this.mayRecord(stated)) this.record(path, stated, setXattr);
    else if (this.#policy.areRecorded) isRecorded(stated, setXattr);
  }
}

function isRecorded(stated: Stated, setXattr: SetXattr): boolean {
  return [...recordsOf(stated)].map(([name, value]) => setXattr(name, value)).every((result) => result >= 0);
}

/** What is to be known of a file whose owner, or type, it cannot have on disk. */
export type Stated = Pick<Entry, "type" | "mode" | "uid" | "gid" | "deviceMajor" | "deviceMinor">;

/**
 * The extended attributes by which tools for containers without privileges know what a file should be.
 *
 * `user.rootlesscontainers` is what umoci writes and reads; `user.containers.override_stat` is what containers/storage
 * and fuse-overlayfs do.
 */
export function recordsOf(stated: Stated): ReadonlyMap<ByteString, Uint8Array> {
  const records = new Map<ByteString, Uint8Array>([[overrideStat, Buffer.from(overriddenStat(stated))]]);
  // umoci takes a file without a record for root's.
  if (stated.uid !== 0 || stated.gid !== 0) records.set(rootless, rootlessResource(stated));
  return records;
}

/** The owner that a record states; `undefined` where it is none. */
function recordedOwner(record: Uint8Array): Pick<Stated, "uid" | "gid"> | undefined {
  const [, uid, gid] = /^(\d{1,10}):(\d{1,10}):/.exec(Buffer.from(record).toString("latin1")) ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

const rootless = byteStringOf("user.rootlesscontainers");
/** The record that is read again, for files that are copied. */
const overrideStat = byteStringOf("user.containers.override_stat");

/** The extended attributes that `recordsOf` gives. */
export const recordNames: readonly ByteString[] = [rootless, overrideStat];

/** Stands for 0, the owner that a file without a record has. */
const noId = 2 ** 32 - 1;

/** `message Resource { uint32 uid = 1; uint32 gid = 2; }`, as protobuf puts it on the wire. */
function rootlessResource({ uid, gid }: Stated): Uint8Array {
  return Uint8Array.from([0x08, ...varint(uid || noId), 0x10, ...varint(gid || noId)]);
}

function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];
}

/** `uid:gid:mode:type`. */
function overriddenStat(stated: Stated): string {
  const mode = (stated.mode & 0o7777).toString(8).padStart(4, "0");
  return `${stated.uid}:${stated.gid}:${mode}:${typeName(stated)}`;
}

function typeName({ type, deviceMajor, deviceMinor }: Stated): string {
  switch (type) {
    case "directory":
      return "dir";
    case "symlink":
      return "symlink";
    case "fifo":
      return "pipe";
    case "character-device":
      return `char-${deviceMajor}-${deviceMinor}`;
    case "block-device":
      return `block-${deviceMajor}-${deviceMinor}`;
    default:
      return "file";
  }
}
